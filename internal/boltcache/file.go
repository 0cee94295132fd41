package boltcache

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

// file is one database file of this process, with the queue of those who want to write to it.
type file struct {
	path  string // real: without symbolic links
	users int    // counted by the register, under its lock

	opening sync.Mutex
	db      *bbolt.DB // set under opening, once; every user has passed there

	turn    sync.Mutex // held by the one who commits; the others queue up behind it
	mu      sync.Mutex
	waiting []*request
}

// request is one caller's part of a transaction.
type request struct {
	do  func(*entries) error
	err error // of the transaction; written by the one who commits, who then lets go of file.turn
}

// get returns a copy of the value, or service.ErrKeyNotFound.
func (f *file) get(key string) (value []byte, err error) {
	err = boltfile.Survive(func() error {
		return f.db.View(func(tx *bbolt.Tx) error {
			found, err := readEntries(tx).get(key)
			value = bytes.Clone(found)
			return err
		})
	})
	if err != nil && !errors.Is(err, service.ErrKeyNotFound) {
		return nil, fmt.Errorf("reading %s: %w", f.path, err)
	}
	return value, err
}

// write runs do in a transaction and returns when it is on disk. Whoever comes while another commits waits and
// then shares one transaction, and so one sync, with all who came meanwhile; one who is alone waits for nobody
// (bbolt's own Batch makes everyone wait for a timer, and commits in a goroutine where a panic over a damaged page
// would end the process). An error of do undoes the transaction for all of them, so do must keep a verdict that
// concerns itself alone.
func (f *file) write(do func(*entries) error) error {
	own := &request{do: do}
	f.mu.Lock()
	f.waiting = append(f.waiting, own)
	f.mu.Unlock()

	f.turn.Lock()
	defer f.turn.Unlock()
	f.mu.Lock()
	batch := f.waiting // empty when an earlier committer took own along
	f.waiting = nil
	f.mu.Unlock()
	if len(batch) > 0 {
		err := f.commit(batch)
		for _, r := range batch {
			r.err = err
		}
	}
	return own.err
}

func (f *file) commit(batch []*request) error {
	err := boltfile.Survive(func() error {
		return f.db.Update(func(tx *bbolt.Tx) error {
			e, err := writeEntries(tx)
			if err != nil {
				return err
			}
			for _, r := range batch {
				if err := r.do(e); err != nil {
					return err
				}
			}
			return e.sweep()
		})
	})
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.path, err)
	}
	return nil
}
