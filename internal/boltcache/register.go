package boltcache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
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
	path, err := realPath(path)
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

// realPath makes an absolute path without symbolic links, and the file and its folders if there are none yet: a
// link may point to a file that is still to come.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	found, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err != nil {
			return "", err
		}
		if found, err = filepath.EvalSymlinks(path); err == nil {
			err = syncFolder(filepath.Dir(found))
		}
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(found)
	if err != nil {
		return "", err
	}
	switch {
	case info.IsDir():
		return "", errors.New("it is a directory, must be a file")
	case !info.Mode().IsRegular():
		return "", errors.New("it is neither a file nor free to become one")
	}
	return found, nil
}

func create(path string) error {
	if err := createFolder(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func createFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err = createFolder(filepath.Dir(path)); err == nil {
			err = os.Mkdir(path, 0o700)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return nil // or it is a file, which creating something in it will say
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes new names in a folder survive a power cut: syncing a file keeps its content, not its name. Where
// the system has no such thing (Windows, some mounted volumes), or a folder may be written but not read, it is left
// to the file system, as it would be without us.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
