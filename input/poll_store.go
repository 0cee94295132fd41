package input

import (
	"context"
	"fmt"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// pollStore is the place of one input's checkpoint in a cache resource: the books under its key, each object's
// position under the key, a dot and the object. Without a cache it keeps nothing.
type pollStore struct {
	res     *service.Resources
	cache   string
	key     string
	release func()
}

// claimStore makes sure that no other input of this process writes to the same place.
func claimStore(c pollConfig, res *service.Resources) (pollStore, error) {
	s := pollStore{res: res, cache: c.cache, key: c.key, release: func() {}}
	if c.cache == "" {
		return s, nil
	}
	if !res.HasCache(c.cache) {
		return s, noCache(c.cache)
	}
	place := storePlace{c.cache, c.key}
	claims, _ := res.GetOrSetGeneric(storeClaims{}, &sync.Map{})
	if _, taken := claims.(*sync.Map).LoadOrStore(place, true); taken {
		return s, fmt.Errorf("%s: another pipedrive_poll already keeps its checkpoint in cache %q under %q; give each its own key", ppFieldCheckpointKey, c.cache, c.key)
	}
	s.release = func() { claims.(*sync.Map).Delete(place) }
	return s, nil
}

// storeClaims finds the places in use among the host's generic resources.
type storeClaims struct{}

type storePlace struct{ cache, key string }

func (s pollStore) positionKey(object string) string { return s.key + "." + object }

func (s pollStore) loadPosition(ctx context.Context, account cursor.Account, object string) (*cursor.Position, error) {
	key := s.positionKey(object)
	stored, err := s.load(ctx, key)
	if err != nil || stored == nil {
		return nil, err
	}
	p, err := cursor.Decode(stored)
	if err == nil {
		err = p.Belongs(account, object)
	}
	if err != nil {
		return nil, s.unusable(key, err)
	}
	p.Account = account // the host may have been renamed
	return p, nil
}

func (s pollStore) loadBooks(ctx context.Context, account cursor.Account) (cursor.Books, error) {
	stored, err := s.load(ctx, s.key)
	if err != nil || stored == nil {
		return cursor.Books{}, err
	}
	b, err := cursor.DecodeBooks(stored)
	if err == nil && b.Company != account.Company {
		err = fmt.Errorf("it belongs to company %s (%s), the credential to company %s (%s)", b.Company, b.Host, account.Company, account.Host)
	}
	if err != nil {
		return cursor.Books{}, s.unusable(s.key, err)
	}
	return b, nil
}

func (s pollStore) unusable(key string, err error) error {
	return fmt.Errorf("the checkpoint %q in cache %q cannot be used: %w. Nothing is read until it is restored, deleted (reading then begins at start_from), or %s is changed", key, s.cache, err, ppFieldCheckpointKey)
}

func (s pollStore) load(ctx context.Context, key string) ([]byte, error) {
	if s.cache == "" {
		return nil, nil
	}
	return spec.GetCached(ctx, s.res, s.cache, key)
}

func (s pollStore) save(ctx context.Context, key string, value []byte) error {
	if s.cache == "" {
		return nil
	}
	return spec.SetCached(ctx, s.res, s.cache, key, value)
}
