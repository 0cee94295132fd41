package input

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// What is stored under a key.
var (
	claimedMark  = []byte("claimed")
	acceptedMark = []byte("accepted")
)

// webhookKeys remembers keys in a cache resource, for all replicas of one door. Another door, with another path, may
// want the same events: it has keys of its own.
type webhookKeys struct {
	res   *service.Resources
	cache string
	path  string
}

func (k webhookKeys) place(key string) string {
	sum := sha256.Sum256([]byte(k.path + "\n" + key))
	return "pipedrive_webhook:" + hex.EncodeToString(sum[:16])
}

func (k webhookKeys) Claim(ctx context.Context, key string, ttl time.Duration) (state webhook.State, err error) {
	place := k.place(key)
	err = k.access(ctx, "claiming", func(c service.Cache) error {
		// Twice, for a claim that ends between the two questions.
		for range 2 {
			err := c.Add(ctx, place, claimedMark, &ttl)
			if !errors.Is(err, service.ErrKeyAlreadyExists) {
				state = webhook.Fresh
				return err
			}
			state = webhook.UnderWay
			mark, err := c.Get(ctx, place)
			if bytes.Equal(mark, acceptedMark) {
				state = webhook.Accepted
			}
			if !errors.Is(err, service.ErrKeyNotFound) {
				return err
			}
		}
		return nil
	})
	return state, err
}

func (k webhookKeys) Accept(key string, ttl, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return k.access(ctx, "accepting", func(c service.Cache) error { return c.Set(ctx, k.place(key), acceptedMark, &ttl) })
}

func (k webhookKeys) Release(key string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return k.access(ctx, "releasing", func(c service.Cache) error {
		if err := c.Delete(ctx, k.place(key)); !errors.Is(err, service.ErrKeyNotFound) {
			return err
		}
		return nil
	})
}

func (k webhookKeys) access(ctx context.Context, what string, do func(service.Cache) error) error {
	var inner error
	err := errors.Join(k.res.AccessCache(ctx, k.cache, func(c service.Cache) { inner = do(c) }), inner)
	if err != nil {
		return fmt.Errorf("%s a key in cache %q: %w", what, k.cache, err)
	}
	return nil
}
