package spec

import (
	"context"
	"errors"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// tokenStore keeps the newest refresh token in a cache resource.
type tokenStore struct {
	res        *service.Resources
	cache, key string
}

func (s tokenStore) Load(ctx context.Context) (string, error) {
	if !s.res.HasCache(s.cache) {
		return "", fmt.Errorf("there is no cache resource with the label %q; add one under cache_resources", s.cache)
	}
	stored, err := GetCached(ctx, s.res, s.cache, s.key)
	return string(stored), err
}

func (s tokenStore) Save(ctx context.Context, text string) error {
	return SetCached(ctx, s.res, s.cache, s.key, []byte(text))
}

// GetCached reads from a cache resource; nil when there is nothing under the key.
func GetCached(ctx context.Context, res *service.Resources, cache, key string) (stored []byte, err error) {
	var inner error
	err = res.AccessCache(ctx, cache, func(c service.Cache) { stored, inner = c.Get(ctx, key) })
	if errors.Is(inner, service.ErrKeyNotFound) {
		return nil, nil
	}
	if err = errors.Join(err, inner); err != nil {
		return nil, fmt.Errorf("reading %q from cache %q: %w", key, cache, err)
	}
	if stored == nil {
		stored = []byte{} // a key with nothing under it is not a missing key
	}
	return stored, nil
}

// SetCached writes to a cache resource, without an expiry.
func SetCached(ctx context.Context, res *service.Resources, cache, key string, value []byte) error {
	var inner error
	err := res.AccessCache(ctx, cache, func(c service.Cache) { inner = c.Set(ctx, key, value, nil) })
	if err = errors.Join(err, inner); err != nil {
		return fmt.Errorf("writing %q to cache %q: %w", key, cache, err)
	}
	return nil
}
