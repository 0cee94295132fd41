package checkup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
)

// probeLimit is how long one cache may take.
const probeLimit = 15 * time.Second

// checkCaches writes to every cache that a component names.
func (r *run) checkCaches(ctx context.Context) {
	var labels []string
	users := map[string][]string{}
	use := func(label, name string) {
		if label == "" {
			return
		}
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
		if !slices.Contains(users[label], name) {
			users[label] = append(users[label], name)
		}
	}
	for _, p := range r.cfg.Polls {
		use(p.Cache, p.Name)
		use(p.TokenCache, p.Name)
	}
	for _, d := range r.cfg.Doors {
		use(d.Cache, d.Name)
		if d.Registration != nil {
			use(d.Registration.TokenCache, d.Name)
		}
	}
	for _, reader := range r.cfg.Resolvers {
		use(reader.TokenCache, reader.Name)
	}
	for _, label := range labels {
		r.checkCache(ctx, label, listed(users[label]))
	}
}

func (r *run) checkCache(ctx context.Context, label, users string) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	err := r.cfg.Probe(ctx, label)
	r.caches[label] = err
	l := Line{State: OK, About: AboutCache, Where: users, Subject: label, Found: "a key was written, read and removed"}
	switch {
	case err == nil:
	case errors.Is(err, ErrHeld) && r.isRunning():
		l.Found = "in use by the process that runs"
		if n, told := r.running.Metrics.Sum("pipedrive_checkpoint_errors_total", nil); told && n > 0 {
			l.State = Warning
			l.Found += fmt.Sprintf("; storing a checkpoint failed %s since its start", counted(int64(n), "time"))
			l.Remedy = "see its log for the reason, and whether it went on"
		}
	case errors.Is(err, ErrHeld):
		l.State = Warning
		l.Found = fmt.Sprintf("cannot be tried: %v", err)
		l.Remedy = "if the pipeline runs, switch its http on and look at " + errorsMetric + "; else end the process that holds it"
	default:
		l.State = Problem
		l.Found = err.Error()
		l.Remedy = remedyOfCache(err) + ": until then nothing is read"
	}
	r.add(l)
}

func remedyOfCache(err error) string {
	if errors.Is(err, ErrNoCache) {
		return "add it under cache_resources, or correct the label"
	}
	return "repair that, so that the user that the pipeline runs as can write and read it"
}

const errorsMetric = "pipedrive_checkpoint_errors_total"

// checkCheckpoints reads how far each poll has come.
func (r *run) checkCheckpoints(ctx context.Context) {
	for i := range r.cfg.Polls {
		p := &r.cfg.Polls[i]
		l := Line{State: OK, About: AboutCheckpoint, Where: p.Name}
		switch {
		case p.Cache == "":
			l.State = Warning
			l.Found = "checkpoint_cache is empty: every start begins at start_from (" + p.StartFrom + ") again"
			l.Remedy = "name a cache resource that survives a restart, like bolt"
		case r.caches[p.Cache] != nil:
			continue // its line says why
		default:
			kept, err := p.Load(ctx, r.accountOf(p.Reader))
			if err != nil {
				l.State, l.Found = Problem, err.Error()
				l.Remedy = "nothing is read until then"
				break
			}
			l.Found = kept.describe(p)
		}
		r.add(l)
	}
}

// describe says how far each object is: 2 objects followed up to the earliest of their times, and so on.
func (k Checkpoint) describe(p *Poll) string {
	var followed, walking, fresh []string
	var upTo time.Time
	for _, o := range p.Objects {
		pos := k.Positions[o.Name]
		switch {
		case pos == nil:
			fresh = append(fresh, o.Name)
		case pos.First:
			text := o.Name
			if pos.Main.Walk != nil {
				text += fmt.Sprintf(" (%s)", counted(pos.Main.Walk.Records, "record"))
			}
			walking = append(walking, text)
		default:
			followed = append(followed, o.Name)
			if upTo.IsZero() || pos.Walked.Before(upTo) {
				upTo = pos.Walked
			}
		}
	}
	var parts []string
	if len(followed) > 0 {
		parts = append(parts, fmt.Sprintf("followed up to %s: %s", upTo.Format(time.RFC3339), listed(followed)))
	}
	if len(walking) > 0 {
		parts = append(parts, "on their first walk: "+listed(walking))
	}
	if len(fresh) > 0 {
		parts = append(parts, fmt.Sprintf("beginning at start_from (%s): %s", p.StartFrom, listed(fresh)))
	}
	if k.Books.Spent > 0 && k.Books.Resets.After(time.Now()) {
		parts = append(parts, humanize.Comma(k.Books.Spent)+" tokens spent today")
	}
	return strings.Join(parts, "; ")
}

// checkJournals looks into each journal, or whether there can be one.
func (r *run) checkJournals(context.Context) {
	for _, d := range r.cfg.Doors {
		l := Line{State: OK, About: AboutJournal, Where: d.Name, Subject: d.Journal}
		if d.Journal == "" {
			l.State = Warning
			l.Found = "journal.path is empty: a request waits for the output, and an outage of it costs events"
			l.Remedy = "give the journal a path on a disk that survives a restart"
			r.add(l)
			continue
		}
		contents, err := journal.Read(d.Journal)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			l.Found = "will be made"
			if err := writableFolder(d.Journal); err != nil {
				l.State, l.Found, l.Remedy = Problem, err.Error(), "make the folder writable for the user that the pipeline runs as"
			}
		case errors.Is(err, journal.ErrHeld):
			r.describeHeld(&l, d)
		case err != nil:
			l.State, l.Found = Problem, err.Error()
			l.Remedy = "restore the file, or move it away: what waits in it is lost then"
		default:
			l.describe(contents)
			if err := writableFile(d.Journal); err != nil {
				l.State, l.Found, l.Remedy = Problem, err.Error(), "make the file writable for the user that the pipeline runs as"
			}
		}
		r.add(l)
	}
}

func (l *Line) describe(c journal.Contents) {
	l.Found = "writable, nothing waits"
	if c.Pending > 0 {
		l.Found = fmt.Sprintf("writable, %s wait, the oldest since %s", counted(c.Pending, "webhook"), c.Oldest.UTC().Format(time.RFC3339))
	}
	if c.Stuck > 0 {
		l.State = Warning
		l.Found += fmt.Sprintf("; the output refused the next one of %s", counted(c.Stuck, "record"))
		l.Remedy = "see which with benthos-pipedrive journal " + l.Subject + ", and why in the log"
	}
}

// describeHeld asks the process that holds a journal.
func (r *run) describeHeld(l *Line, d Door) {
	pending, told := 0.0, false
	if r.isRunning() {
		pending, told = r.running.Metrics.Sum("pipedrive_journal_pending", &d.Where)
	}
	if told {
		l.Found = fmt.Sprintf("in use by the process that runs, %s wait (pipedrive_journal_pending)", counted(int64(pending), "webhook"))
		return
	}
	l.State = Warning
	l.Found = "cannot be read: " + ErrHeld.Error()
	l.Remedy = "if the pipeline runs, look at its metric pipedrive_journal_pending; else end the process that holds it"
	if r.cfg.Running == nil {
		l.Remedy = "if the pipeline runs, switch its http on and look at its metric pipedrive_journal_pending; else end the process that holds it"
	}
}

func writableFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// writableFolder tries the folder that a file is to be made in, or the one above it that exists.
func writableFolder(path string) error {
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return err
	}
	for {
		_, err := os.Stat(folder)
		if err == nil {
			break
		}
		above := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || above == folder {
			return err
		}
		folder = above
	}
	f, err := os.CreateTemp(folder, ".benthos-pipedrive-check-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
