package simulator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tidwall/gjson"
)

// move is one plausible thing for people to do. Its record is alive and not archived.
type move struct {
	weight int
	list   string
	done   string // what has been done, for the description
	fields func(s *Simulator, rng *rand.Rand, now time.Time) Fields
	make   bool // make a new record instead
	delete bool // delete the record instead
}

var moves = []move{
	{weight: 14, list: "deals", done: "created", make: true},
	{weight: 34, list: "deals", done: "moved to another stage", fields: toAnotherStage},
	{weight: 10, list: "deals", done: "won", fields: closeDeal("won")},
	{weight: 8, list: "deals", done: "lost", fields: closeDeal("lost")},
	{weight: 6, list: "deals", done: "revalued", fields: revalue},
	{weight: 4, list: "deals", done: "deleted", delete: true},
	{weight: 7, list: "persons", done: "created", make: true},
	{weight: 8, list: "persons", done: "updated", fields: changeJob},
	{weight: 1, list: "persons", done: "deleted", delete: true},
	{weight: 3, list: "organizations", done: "created", make: true},
	{weight: 5, list: "organizations", done: "updated", fields: changeStaff},
}

// Mutate makes one plausible change, the same for the same account and random numbers, and describes it in a line:
// "deals 101 won: Nordic Solar AB renewal".
func (s *Simulator) Mutate(rng *rand.Rand) string {
	var sum int
	for _, m := range moves {
		sum += m.weight
	}
	left := rng.IntN(sum)
	i := 0
	for ; left >= moves[i].weight; i++ {
		left -= moves[i].weight
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.do(moves[i], rng)
}

func (s *Simulator) do(m move, rng *rand.Rand) string {
	l := listNamed(m.list)
	t := s.tableOf(l)
	now := s.clock.now()
	r, found := t.anyAlive(rng)
	if m.make || !found {
		id := s.addOne(l, stampOf(now), nil)
		r, _ = t.get(t.next - 1)
		return describe(l, id, "created", r)
	}
	s.changeRecord(r, manner{}, func(old row, t *table, at stamp) row {
		if m.delete {
			return s.deleted(old, t, at)
		}
		old.body = s.moved(t, m.fields(s, rng, now), at).patch(old.body, t.obj.layout)
		return old
	})
	return describe(l, r.id(), m.done, r)
}

func describe(l *list, id, done string, r record) string {
	body := r.append(nil)
	title := gjson.GetBytes(body, "title").Str + gjson.GetBytes(body, "name").Str // a record has one of them
	return fmt.Sprintf("%s %s %s: %s", l.name, id, done, title)
}

// anyAlive tries a few numbers, most of which are records that are alive.
func (t *table) anyAlive(rng *rand.Rand) (record, bool) {
	const tries = 32
	for range tries {
		if t.next <= 1 {
			break
		}
		if r, found := t.get(1 + rng.Int64N(t.next-1)); found && !r.deleted() && !r.archived() {
			return r, true
		}
	}
	return record{}, false
}

func toAnotherStage(s *Simulator, rng *rand.Rand, now time.Time) Fields {
	f := Fields{"stage_change_time": now}
	if stage, found := s.tableOf(listNamed("stages")).anyAlive(rng); found {
		f["stage_id"] = stage.n
		if pipeline := gjson.GetBytes(stage.append(nil), "pipeline_id"); pipeline.Exists() {
			f["pipeline_id"] = pipeline.Value()
		}
	}
	return f
}

func closeDeal(status string) func(*Simulator, *rand.Rand, time.Time) Fields {
	return func(_ *Simulator, rng *rand.Rand, now time.Time) Fields {
		f := Fields{
			"status": status, "close_time": now, "local_close_date": now.Format(layoutDate),
			status + "_time": now, "local_" + status + "_date": now.Format(layoutDate),
		}
		if status == "lost" {
			f["lost_reason"] = pick(lostWords, rng.Uint64())
		}
		return f
	}
}

func revalue(_ *Simulator, rng *rand.Rand, _ time.Time) Fields {
	return Fields{"value": 100 * (1 + rng.IntN(900))}
}

func changeJob(_ *Simulator, rng *rand.Rand, _ time.Time) Fields {
	return Fields{"job_title": pick(jobTitles, rng.Uint64())}
}

func changeStaff(_ *Simulator, rng *rand.Rand, _ time.Time) Fields {
	return Fields{"employee_count": 2 + rng.IntN(900)}
}

// KeepChanging makes so many plausible changes a second until ctx ends, and hands the line of each to say, which may
// be nil. The caller owns the goroutine it runs in.
func (s *Simulator) KeepChanging(ctx context.Context, perSecond float64, say func(line string)) {
	if perSecond <= 0 {
		return
	}
	rng := rand.New(rand.NewPCG(s.opts.Seed, mix(s.opts.Seed)))
	tick := time.NewTicker(max(time.Duration(float64(time.Second)/perSecond), time.Microsecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if line := s.Mutate(rng); say != nil {
			say(line)
		}
	}
}
