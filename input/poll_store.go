package input

import (
	"context"
	"fmt"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
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
	claims, _ := res.GetOrSetGeneric(storeClaims{}, &sync.Map{})
	for _, key := range s.keys(c.objects) {
		place, before := storePlace{c.cache, key}, s.release
		if _, taken := claims.(*sync.Map).LoadOrStore(place, true); taken {
			before()
			return s, fmt.Errorf("%s: another pipedrive_poll already keeps its checkpoint in cache %q under %q; give each its own key", ppFieldCheckpointKey, c.cache, key)
		}
		s.release = func() { before(); claims.(*sync.Map).Delete(place) }
	}
	return s, nil
}

// storeClaims finds the places in use among the host's generic resources.
type storeClaims struct{}

type storePlace struct{ cache, key string }

// keys are all that a checkpoint of these objects writes to.
func (s pollStore) keys(objects []entity.Object) []string {
	keys := []string{s.key}
	for _, object := range objects {
		keys = append(keys, s.positionKey(object.Name))
	}
	return keys
}

func (s pollStore) positionKey(object string) string { return s.key + "." + object }

// kept is what a store holds.
type kept struct {
	books     cursor.Books
	positions map[string]*cursor.Position // by object; nil: nothing yet
}

// load reads everything, and refuses what it cannot read.
func (s pollStore) load(ctx context.Context, objects []entity.Object) (kept, error) {
	k := kept{positions: map[string]*cursor.Position{}}
	stored, err := s.get(ctx, s.key)
	if err != nil {
		return k, err
	}
	if stored != nil {
		if k.books, err = cursor.DecodeBooks(stored); err != nil {
			return k, s.unusable(s.key, err)
		}
	}
	for _, object := range objects {
		key := s.positionKey(object.Name)
		stored, err := s.get(ctx, key)
		if err != nil {
			return k, err
		}
		if stored == nil {
			continue
		}
		if k.positions[object.Name], err = cursor.Decode(stored); err != nil {
			return k, s.unusable(key, err)
		}
	}
	return k, nil
}

// belongs refuses what is of another company.
func (k kept) belongs(s pollStore, account cursor.Account) error {
	if k.books.Company != "" {
		if err := k.books.Belongs(account); err != nil {
			return s.unusable(s.key, err)
		}
	}
	for object, p := range k.positions {
		if err := p.Belongs(account, object); err != nil {
			return s.unusable(s.positionKey(object), err)
		}
	}
	return nil
}

func (s pollStore) unusable(key string, err error) error {
	return fmt.Errorf("the checkpoint %q in cache %q cannot be used: %w. Nothing is read until it is restored, deleted (reading then begins at start_from), or %s is changed", key, s.cache, err, ppFieldCheckpointKey)
}

func (s pollStore) get(ctx context.Context, key string) ([]byte, error) {
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
