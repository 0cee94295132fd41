package spec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

// Inspect makes a connection ready to be looked at by the command `check`. The client has to be closed.
func (c Connection) Inspect(where checkup.Where, res *service.Resources) (checkup.Reader, error) {
	client, err := c.NewClient(res)
	r := checkup.Reader{Where: where, Client: client, OAuth: c.config.OAuth != nil}
	if r.OAuth {
		r.TokenCache = c.tokenCache
	}
	return r, err
}

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
