package journal

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const childWriters = 8

// workForEver appends from several goroutines, each to a lane of its own, and delivers, and says each step when it is
// true: "+ lane n" appended, "> lane n" handed on, "- lane n" gone for good. It begins at the number it is given, and
// delivers nothing when that is 0, so that there is something left.
func workForEver(path, argument string) error {
	from, err := strconv.Atoi(argument)
	if err != nil {
		return err
	}
	j, err := Open(Options{Path: path})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for writer := range childWriters {
		go func() {
			for n := from + 1; ; n++ {
				e := Entry{Lane: fmt.Sprint(writer), Key: fmt.Sprint(n), Body: []byte(bodyOf(writer, n))}
				if err := j.Append(context.Background(), e); err != nil {
					failed <- err
				}
				say("+", e.Lane, e.Key)
			}
		}()
	}
	if from > 0 {
		go func() {
			for refusals := 0; ; {
				batch, err := j.NextBatch(context.Background(), 5, 1<<20)
				if err != nil {
					failed <- err
				}
				for _, d := range batch {
					say(">", d.Lane, d.Key)
					if refusals++; refusals%7 == 0 {
						j.Later(time.Millisecond, d)
						continue
					}
					go func() {
						if err := j.Done(context.Background(), d); err != nil {
							failed <- err
						}
						say("-", d.Lane, d.Key)
					}()
				}
			}
		}()
	}
	return <-failed
}

func say(sign, lane, key string) { _, _ = os.Stdout.WriteString(sign + " " + lane + " " + key + "\n") }

// compactForEver keeps a few small entries in one lane and lets large ones run through another, so that the file is
// compacted over and over. It says the same as workForEver, and "c" after a compaction, and first delivers what there is.
func compactForEver(path, argument string) error {
	from, err := strconv.Atoi(argument)
	if err != nil {
		return err
	}
	j, err := Open(Options{Path: path, minCompact: 32 << 10})
	if err != nil {
		return err
	}
	ctx := context.Background()
	appendOne := func(writer, n int) error {
		e := Entry{Lane: fmt.Sprint(writer), Key: fmt.Sprint(n), Body: []byte(bodyOf(writer, n))}
		err := j.Append(ctx, e)
		if err == nil {
			say("+", e.Lane, e.Key)
		}
		return err
	}
	file := current(j)
	deliver := func(all bool) error {
		batch, err := j.NextBatch(ctx, 5, 1<<20)
		for _, d := range batch {
			say(">", d.Lane, d.Key)
			if !all && d.Lane != "0" {
				continue
			}
			if err := j.Done(ctx, d); err != nil {
				return err
			}
			say("-", d.Lane, d.Key)
		}
		if now := current(j); now != file {
			say("c", "", "0")
			file = now
		}
		return err
	}
	for j.Pending() > 0 {
		if err := deliver(true); err != nil {
			return err
		}
	}
	for n := from + 1; n <= from+5; n++ {
		if err := appendOne(1, n); err != nil {
			return err
		}
	}
	for n := from + 1000; ; n++ {
		err := appendOne(0, n)
		if err == nil {
			err = deliver(false)
		}
		if err != nil {
			return err
		}
	}
}

// current returns the file that the journal is on; each compaction makes another.
func current(j *Journal) *file {
	j.files.RLock()
	defer j.files.RUnlock()
	return j.file
}

// bodyOf is sometimes long enough to span pages.
func bodyOf(writer, n int) string {
	return strings.Repeat(fmt.Sprint(writer, "/", n, " "), 1+n%1500)
}

// account is what the children have said and the file has shown, by lane.
type account struct {
	pending map[string][]int // appended and, at the last look, not removed
	handed  map[string]int   // the highest since the last look
	gone    map[string]int   // the highest

	compacted int // times
}

// hear checks that a lane is appended to, handed on and removed in order.
func (a *account) hear(t *testing.T, line string) {
	t.Helper()
	sign, rest, _ := strings.Cut(line, " ")
	lane, key, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(key)
	require.NoError(t, err, "the child said: %s", line)
	switch sign {
	case "+":
		a.pending[lane] = append(a.pending[lane], n)
	case ">":
		require.GreaterOrEqual(t, n, a.handed[lane], "handed on out of order in lane %s", lane)
		require.Greater(t, n, a.gone[lane], "handed on again in lane %s", lane)
		a.handed[lane] = n
	case "-":
		a.gone[lane] = max(a.gone[lane], n) // two acks may say so in the other order
	case "c":
		a.compacted++
	default:
		require.Fail(t, "the child said: "+line)
	}
}

// look compares what is in the file with what was said, and goes on from the file.
func (a *account) look(t *testing.T, path string) {
	t.Helper()
	j := openAt(t, path)
	found := map[string][]int{}
	require.NoError(t, j.view(eachEntry(func(e Entry) {
		n, err := strconv.Atoi(e.Key)
		require.NoError(t, err)
		writer, err := strconv.Atoi(e.Lane)
		require.NoError(t, err)
		require.Equal(t, bodyOf(writer, n), string(e.Body))
		found[e.Lane] = append(found[e.Lane], n)
	})))
	require.NoError(t, j.Close())
	for lane, appended := range a.pending {
		require.IsIncreasing(t, append([]int{-1}, found[lane]...), "lane %s", lane)
		for _, n := range appended {
			if !slices.Contains(found[lane], n) {
				require.LessOrEqual(t, n, a.handed[lane], "lane %s lost an entry that nobody was handed", lane)
				a.gone[lane] = max(a.gone[lane], n)
			}
		}
		if len(found[lane]) > 0 {
			require.Greater(t, found[lane][0], a.gone[lane], "lane %s has again what was gone", lane)
		}
	}
	a.pending, a.handed = found, map[string]int{}
}

// killOften plays 16 rounds of a role on one file, kills each after so many steps.
func killOften(t *testing.T, role, path string, steps func(round int) int) *account {
	t.Helper()
	a := &account{pending: map[string][]int{}, handed: map[string]int{}, gone: map[string]int{}}
	for round := range 16 {
		lines, kill := startChild(t, role, strconv.Itoa(150_000*round), path)
		// Another moment each round: during the first write, in the middle, after many.
		for range 1 + steps(round) {
			require.True(t, lines.Scan(), "the child ended by itself")
			a.hear(t, lines.Text())
		}
		kill()
		for lines.Scan() { // what it had said before the end
			a.hear(t, lines.Text())
		}
		a.look(t, path)
	}
	return a
}

func TestEveryAppendThatReturnedIsDeliveredAfterKill9(t *testing.T) {
	t.Parallel()
	a := killOften(t, "work", journalPath(t), func(round int) int { return round * round * 4 })
	require.Len(t, a.gone, childWriters, "the test is of no use unless something was delivered in every lane")
}

func TestNothingIsLostWhenACompactionIsKilled(t *testing.T) {
	t.Parallel()
	a := killOften(t, "compact", journalPath(t), func(round int) int { return round * 9 })
	t.Logf("compacted %d times", a.compacted)
	require.Greater(t, a.compacted, 20, "the test is of no use unless the file was compacted")
}
