package boltcache

import (
	"errors"
	"sync"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

// inUse is the one register of the process. It is a package variable because what it stands for, the lock on a
// file, belongs to the process as well: a second register (say, one a stream) would meet the lock of the first and
// take it for another process.
var inUse = register{files: map[string]*file{}}

// register counts the users of each open file by its real path.
type register struct {
	mu    sync.Mutex
	files map[string]*file
}

// acquire returns the open file for a path, which may be relative and go through symbolic links. Every acquire
// that succeeds wants one release. It waits up to timeout for a lock of another process.
func (r *register) acquire(path string, timeout time.Duration) (*file, error) {
	path, err := boltfile.Make(path)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	f := r.files[path]
	if f == nil {
		f = &file{path: path}
		r.files[path] = f
	}
	f.users++
	r.mu.Unlock()

	// Not under r.mu: a file that is held elsewhere must not keep the others waiting.
	f.opening.Lock()
	defer f.opening.Unlock()
	if f.db == nil {
		if f.db, err = openDB(path, timeout); err != nil {
			return nil, errors.Join(err, r.release(f))
		}
	}
	return f, nil
}

// release closes the file behind its last user.
func (r *register) release(f *file) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.users--
	if f.users > 0 {
		return nil
	}
	delete(r.files, f.path)
	if f.db == nil {
		return nil
	}
	// Under r.mu, so that who opens the path again meets no lock of ours. Nobody uses f any more: this is short.
	return f.db.Close()
}
