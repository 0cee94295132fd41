package boltcache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
)

const (
	// The key of the expiry index is a time and a key, and bbolt's limit of 32768 bytes holds for both together.
	maxKey = 32768 - expirySize
	// bbolt would take 2 GiB, but a transaction lives in memory until it is written.
	maxValue = 64 << 20
)

var errClosed = errors.New("the bolt cache is closed")

// cache is one `bolt` resource. The file is opened by the first operation, not by the constructor: the host ends
// the program when a constructor fails, while a failing operation is tried again by whoever asked for it.
type cache struct {
	path    string
	timeout time.Duration
	ttl     *time.Duration // for writes without a ttl of their own; nil: they never expire

	mu     sync.RWMutex // held for reading during an operation, so that Close waits for the running ones
	file   *file        // nil before the first operation and after Close
	closed bool
}

// Get returns a copy of the value, or service.ErrKeyNotFound.
func (c *cache) Get(ctx context.Context, key string) (value []byte, err error) {
	err = c.with(ctx, func(f *file) (err error) {
		value, err = f.get(key)
		return err
	})
	return value, err
}

// Set returns once the value is on disk.
func (c *cache) Set(ctx context.Context, key string, value []byte, ttl *time.Duration) error {
	return c.SetMulti(ctx, service.CacheItem{Key: key, Value: value, TTL: ttl})
}

// SetMulti writes all items or none.
func (c *cache) SetMulti(ctx context.Context, items ...service.CacheItem) error {
	for _, item := range items {
		if err := check(item.Key, item.Value); err != nil {
			return err
		}
	}
	return c.with(ctx, func(f *file) error {
		return f.write(func(e *entries) error {
			for _, item := range items {
				if err := e.put(item.Key, item.Value, c.expiry(item.TTL)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// Add returns service.ErrKeyAlreadyExists when the key has a value that has not expired. Of several Adds of one
// key at the same time exactly one succeeds.
func (c *cache) Add(ctx context.Context, key string, value []byte, ttl *time.Duration) error {
	if err := check(key, value); err != nil {
		return err
	}
	return c.with(ctx, func(f *file) error {
		// Looking costs no sync, and a dedupe mostly asks for keys that are there.
		if _, err := f.get(key); !errors.Is(err, service.ErrKeyNotFound) {
			return taken(err)
		}
		var verdict error
		err := f.write(func(e *entries) error {
			if _, err := e.get(key); !errors.Is(err, service.ErrKeyNotFound) {
				verdict = taken(err)
				return nil // the others in the transaction are not concerned
			}
			return e.put(key, value, c.expiry(ttl))
		})
		if err != nil {
			return err
		}
		return verdict
	})
}

// taken turns the outcome of a get that found something into the one of an add.
func taken(err error) error {
	if err == nil {
		return service.ErrKeyAlreadyExists
	}
	return err
}

// Delete of a key that is not there is no error.
func (c *cache) Delete(ctx context.Context, key string) error {
	return c.with(ctx, func(f *file) error {
		if _, err := f.get(key); errors.Is(err, service.ErrKeyNotFound) {
			return nil
		}
		return f.write(func(e *entries) error { return e.remove(key) })
	})
}

// Close waits for the running operations and lets go of the file. The last user in the process closes it.
func (c *cache) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.file == nil {
		return nil
	}
	f := c.file
	c.file = nil
	return inUse.release(f)
}

// with runs one operation on the open file. An operation that has begun is not interrupted: it ends with the disk.
func (c *cache) with(ctx context.Context, do func(*file) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.connect(); err != nil {
		return err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return errClosed
	}
	return do(c.file)
}

// connect opens the file unless an earlier operation has done so.
func (c *cache) connect() error {
	c.mu.RLock()
	ready := c.file != nil
	c.mu.RUnlock()
	if ready {
		return nil
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	if c.file != nil {
		return nil
	}
	f, err := inUse.acquire(c.path, c.timeout)
	if err != nil {
		return fmt.Errorf("opening the bolt cache, path %q: %w", c.path, err)
	}
	c.file = f
	return nil
}

func (c *cache) expiry(ttl *time.Duration) uint64 {
	if ttl == nil {
		ttl = c.ttl
	}
	if ttl == nil {
		return never
	}
	return stamp(time.Now().Add(*ttl))
}

func check(key string, value []byte) error {
	switch {
	case key == "":
		return errors.New("the key is empty, must have 1 to 32760 bytes")
	case len(key) > maxKey:
		return fmt.Errorf("the key has %d bytes, must have 1 to %d", len(key), maxKey)
	case len(value) > maxValue:
		return fmt.Errorf("the value has %d bytes, may have up to %d", len(value), maxValue)
	}
	return nil
}
