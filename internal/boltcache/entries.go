package boltcache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.etcd.io/bbolt"
)

// The file holds two buckets. Values: key -> time of expiry, value. Expiries: time of expiry, key -> nothing,
// a row for each key that expires, so that the oldest are found without looking at the others. Times are
// microseconds since 1970 in 8 bytes, big-endian, so that they sort. Another layout gets other names.
var (
	valuesBucket   = []byte("cache_v1_values")
	expiriesBucket = []byte("cache_v1_expiries")
)

const (
	expirySize = 8
	never      = uint64(0)
	// What a commit removes beyond the number of keys it wrote. Above zero, so that a backlog shrinks; small, so
	// that no writer pays for a long silence of the others.
	sweepExtra = 64
)

var errDamaged = errors.New("an entry is shorter than its head: the file is damaged or another program wrote to it")

// stamp returns t as it is stored, never 0.
func stamp(t time.Time) uint64 {
	return uint64(max(1, t.UnixMicro()))
}

// entries is the cache's data inside one transaction.
type entries struct {
	now      uint64
	values   *bbolt.Bucket // nil in a file that was never written to, as is expiries
	expiries *bbolt.Bucket
	written  int
}

func readEntries(tx *bbolt.Tx) *entries {
	return &entries{now: stamp(time.Now()), values: tx.Bucket(valuesBucket), expiries: tx.Bucket(expiriesBucket)}
}

func writeEntries(tx *bbolt.Tx) (*entries, error) {
	for _, name := range [][]byte{valuesBucket, expiriesBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return nil, err
		}
	}
	return readEntries(tx), nil
}

// get returns memory that belongs to the transaction, or service.ErrKeyNotFound.
func (e *entries) get(key string) ([]byte, error) {
	if e.values == nil {
		return nil, service.ErrKeyNotFound
	}
	stored := e.values.Get([]byte(key))
	if stored == nil {
		return nil, service.ErrKeyNotFound
	}
	if len(stored) < expirySize {
		return nil, errDamaged
	}
	if expiry := binary.BigEndian.Uint64(stored); expiry != never && expiry <= e.now {
		return nil, service.ErrKeyNotFound
	}
	return stored[expirySize:], nil
}

func (e *entries) put(key string, value []byte, expiry uint64) error {
	if err := e.forget(key); err != nil {
		return err
	}
	stored := make([]byte, expirySize, expirySize+len(value))
	binary.BigEndian.PutUint64(stored, expiry)
	if err := e.values.Put([]byte(key), append(stored, value...)); err != nil {
		return err
	}
	e.written++
	if expiry == never {
		return nil
	}
	return e.expiries.Put(append(stored[:expirySize:expirySize], key...), nil)
}

func (e *entries) remove(key string) error {
	if err := e.forget(key); err != nil {
		return err
	}
	return e.values.Delete([]byte(key))
}

// forget removes the key's row from the index of expiries.
func (e *entries) forget(key string) error {
	stored := e.values.Get([]byte(key))
	if len(stored) < expirySize || binary.BigEndian.Uint64(stored) == never {
		return nil
	}
	return e.expiries.Delete(append(bytes.Clone(stored[:expirySize]), key...))
}

// sweep removes the keys that expired first. A write adds one row to the index at most and is followed by the
// removal of at least as many, so what has expired cannot pile up, and no sweep is long.
func (e *entries) sweep() error {
	var expired [][]byte
	cursor := e.expiries.Cursor()
	for row, _ := cursor.First(); row != nil && len(expired) < e.written+sweepExtra; row, _ = cursor.Next() {
		if len(row) < expirySize {
			return errDamaged
		}
		if binary.BigEndian.Uint64(row) > e.now {
			break
		}
		// A cursor loses its place when rows are removed under it, hence the list.
		expired = append(expired, bytes.Clone(row))
	}
	for _, row := range expired {
		if err := e.expiries.Delete(row); err != nil {
			return fmt.Errorf("sweeping: %w", err)
		}
		if err := e.values.Delete(row[expirySize:]); err != nil {
			return fmt.Errorf("sweeping: %w", err)
		}
	}
	return nil
}
