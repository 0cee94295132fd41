package boltfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Make makes an absolute path without symbolic links, and the file (0600) and its folders (0700) if there are none yet: a
// link may point to a file that is still to come. What it made survives a power cut.
func Make(path string) (string, error) {
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
			err = SyncFolder(filepath.Dir(found))
		}
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(found)
	switch {
	case err != nil:
		return "", err
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
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder makes the names in a folder survive a power cut: syncing a file keeps its content, not its name. Where
// the system has no such thing, or the folder may be written but not read, it is left to the file system.
func SyncFolder(path string) error {
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
