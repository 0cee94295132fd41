package spec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// TokenCache is the label of the cache that keeps the newest refresh token; empty: there is none, or no need of one.
func (c Connection) TokenCache() string {
	if c.config.OAuth == nil {
		return ""
	}
	return c.tokenCache
}

// IsOAuth tells the credential of an app from a personal token.
func (c Connection) IsOAuth() bool { return c.config.OAuth != nil }

const (
	probeKey = "benthos_pipedrive_check"
	probeTTL = time.Minute // should the removal fail
)

// ProbeCache writes a key of its own to a cache resource, reads it and removes it.
func ProbeCache(ctx context.Context, res *service.Resources, cache string) error {
	value := []byte(time.Now().Format(time.RFC3339Nano))
	ttl := probeTTL
	var inner error
	err := res.AccessCache(ctx, cache, func(c service.Cache) {
		if inner = c.Set(ctx, probeKey, value, &ttl); inner != nil {
			inner = fmt.Errorf("writing a key: %w", inner)
			return
		}
		read, err := c.Get(ctx, probeKey)
		switch {
		case err != nil:
			inner = fmt.Errorf("reading the key that was written: %w", err)
		case !bytes.Equal(read, value):
			inner = errors.New("reading the key that was written: another value came back")
		}
		if err := c.Delete(ctx, probeKey); err != nil && inner == nil {
			inner = fmt.Errorf("removing the key that was written: %w", err)
		}
	})
	return errors.Join(err, inner)
}
