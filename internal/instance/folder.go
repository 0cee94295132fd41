package instance

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Source is an instance and the file it was read from.
type Source struct {
	File     string
	Instance *Instance
}

// Outcome is what became of one file of a folder.
type Outcome struct {
	Path string
	Did  string // written, unchanged, or kept: it is there, differs, and belongs to the user
}

// WriteFolder makes a folder for the streams mode of the host, or adds to one: root.yaml and resources.yaml with what all
// streams share, and streams/*.yaml with one instance each. It writes all of it or nothing, and never over a file that
// differs. The variables are in the order of the sources.
//
// The host (4.80) reads resources from a file of their own only: in streams mode it accepts those in its root
// configuration and forgets them.
func WriteFolder(dir string, sources []Source) ([]Outcome, []Variable, error) {
	streams, variables, err := streamsOf(sources)
	if err != nil {
		return nil, nil, err
	}
	w := folderWriter{dir: dir}
	var refused []error
	for _, shared := range []string{"root", "resources"} {
		refused = append(refused, w.plan(shared+".yaml", execute(shared, nil), true))
	}
	for _, s := range streams {
		refused = append(refused, w.plan(filepath.Join("streams", s.name+".yaml"), s.page, false))
	}
	if err := errors.Join(refused...); err != nil {
		return nil, nil, err
	}
	if err := w.write(); err != nil {
		return nil, nil, err
	}
	return w.outcomes, variables, nil
}

type stream struct {
	name string
	page []byte
}

// streamsOf names and writes the streams, each of which has its own name.
func streamsOf(sources []Source) (streams []stream, variables []Variable, err error) {
	var wrong []error
	taken := map[string]string{}
	for _, s := range sources {
		base := filepath.Base(s.File)
		name := cmp.Or(s.Instance.slug(), (&Instance{Name: strings.TrimSuffix(base, filepath.Ext(base))}).slug(), "instance")
		if s.Instance.Polling == nil && s.Instance.ID == "" {
			wrong = append(wrong, fmt.Errorf(`%s: id: is missing; the webhooks of several instances are told apart by it: add "id": 20931, the number that Cloud Elements shows`, s.File))
		}
		if other, twice := taken[name]; twice {
			wrong = append(wrong, fmt.Errorf("%s: is instance %s, as %s is; give each file once", s.File, name, other))
			continue
		}
		taken[name] = s.File
		page, needed := sheet{Instance: s.Instance, stream: name}.write()
		streams = append(streams, stream{name, page})
		variables = append(variables, needed...)
	}
	return streams, variables, errors.Join(wrong...)
}

// folderWriter collects what is to be written before anything is.
type folderWriter struct {
	dir      string
	todo     []plannedFile
	outcomes []Outcome
}

type plannedFile struct {
	path, staged string
	content      []byte
}

// plan looks at what is there already. A file that may differ stays as it is then, any other is refused.
func (w *folderWriter) plan(name string, content []byte, mayDiffer bool) error {
	path := filepath.Join(w.dir, name)
	did := "unchanged"
	switch there, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
		did = "written"
		w.todo = append(w.todo, plannedFile{path: path, content: content})
	case err != nil:
		return err
	case bytes.Equal(there, content):
	case mayDiffer:
		did = "kept"
	default:
		return fmt.Errorf("%s: is there already and differs; remove it first if it is not needed any more", path)
	}
	w.outcomes = append(w.outcomes, Outcome{Path: path, Did: did})
	return nil
}

// write puts every file beside its place, and only when all are on disk into it. When that fails in the middle, what
// was put in place is taken away again. A process that is killed then may leave some of the files, each whole; the
// next run finds them unchanged and adds the others.
func (w *folderWriter) write() (err error) {
	var undo []func() error
	defer func() {
		if err != nil {
			for _, u := range undo {
				_ = u() // what cannot be undone is no worse than the error that is returned
			}
		}
	}()
	for i := range w.todo {
		f := &w.todo[i]
		made, err := makeFolder(filepath.Dir(f.path))
		for _, folder := range made {
			undo = append([]func() error{func() error { return os.Remove(folder) }}, undo...)
		}
		if err != nil {
			return err
		}
		f.staged = filepath.Join(filepath.Dir(f.path), fmt.Sprintf(".%s.%d.tmp", filepath.Base(f.path), os.Getpid()))
		undo = append([]func() error{func() error { return os.Remove(f.staged) }}, undo...)
		if err := writeSynced(f.staged, f.content); err != nil {
			return err
		}
	}
	for _, f := range w.todo {
		if err := os.Rename(f.staged, f.path); err != nil {
			return err
		}
		undo = append([]func() error{func() error { return os.Remove(f.path) }}, undo...)
	}
	return nil
}

// makeFolder makes a folder and those above it, and tells which it made, the outermost first.
func makeFolder(path string) (made []string, err error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if parent := filepath.Dir(path); parent != path {
		if made, err = makeFolder(parent); err != nil {
			return made, err
		}
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		return made, err
	}
	return append(made, path), nil
}

func writeSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
