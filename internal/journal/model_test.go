package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// model plays a journal step by step in one goroutine, the committer too, and knows what has to come of it.
type model struct {
	*testing.T
	rnd     *rand.Rand
	j       *Journal
	lanes   [3][]*modelled // what may still be handed on, oldest first
	all     []*modelled
	writing *batch // what the committer has taken

	early, late, refused int32
}

type modelled struct {
	*addition
	key  string
	lane int

	accepted  bool // Append has returned nil
	delivered bool // Done was called
	aloft     *Delivery
}

func (m *model) append() {
	e := &modelled{key: fmt.Sprint(len(m.all)), lane: m.rnd.IntN(len(m.lanes))}
	var err error
	e.addition, err = m.j.enqueue(&Entry{Lane: fmt.Sprint(e.lane), Key: e.key})
	require.NoError(m, err)
	m.all = append(m.all, e)
	m.lanes[e.lane] = append(m.lanes[e.lane], e)
}

// hear has the Appends return that may.
func (m *model) hear() {
	for _, e := range m.all {
		select {
		case err := <-e.done:
			if e.accepted = err == nil; !e.accepted {
				m.forget(e)
				m.refused++
			}
		default:
		}
	}
}

func (m *model) forget(e *modelled) {
	m.lanes[e.lane] = slices.DeleteFunc(m.lanes[e.lane], func(other *modelled) bool { return other == e })
}

func (m *model) giveUp() {
	if len(m.all) == 0 {
		return
	}
	e := m.all[m.rnd.IntN(len(m.all))]
	if m.j.withdraw(e.addition); e.over && !e.delivered {
		m.forget(e)
	}
}

func (m *model) commit() {
	if m.writing == nil {
		m.writing, _ = m.j.nextBatch(false)
		return
	}
	b := m.writing
	m.writing = nil
	if m.rnd.IntN(4) > 0 {
		m.j.settle(b)
		return
	}
	full := errors.New("the disk is full")
	b.addErr, b.removeErr = full, full
	if m.rnd.IntN(2) == 0 {
		b.removeErr = m.j.write(b, nil)
	}
	m.j.record(b)
}

func (m *model) handOn() {
	batch, _, err := m.j.takeBatch(1+m.rnd.IntN(3), 1<<20)
	require.NoError(m, err)
	for _, d := range batch {
		lane := m.lanes[int(d.Lane[0]-'0')]
		require.NotEmpty(m, lane)
		require.Equal(m, lane[0].key, d.Key, "lane %s", d.Lane)
		for _, e := range m.all {
			require.False(m, e.aloft != nil && e.aloft.Lane == d.Lane, "%s is under way in lane %s as well", e.key, d.Lane)
		}
		lane[0].aloft = &d
	}
}

func (m *model) judge(delivered bool) {
	var aloft []*modelled
	for _, e := range m.all {
		if e.aloft != nil {
			aloft = append(aloft, e)
		}
	}
	if len(aloft) == 0 {
		return
	}
	e := aloft[m.rnd.IntN(len(aloft))]
	d := *e.aloft
	e.aloft = nil
	if !delivered {
		m.j.Later(0, d)
		return
	}
	kept := slices.Contains(m.lanes[e.lane], e)
	b, err := m.j.depart([]Delivery{d})
	require.NoError(m, err)
	if !kept {
		return
	}
	e.delivered = true
	m.forget(e)
	if b == nil {
		m.early++
	} else {
		m.late++
	}
}

// crash looks at what would be found after a crash now.
func (m *model) crash() {
	filed := map[string]bool{}
	require.NoError(m, m.j.file.DB.View(eachEntry(func(e Entry) { filed[e.Key] = true })))
	var gone [len(m.lanes)]string // of each lane an entry that was delivered and will not come again
	for _, e := range slices.Backward(m.all) {
		switch {
		case filed[e.key]:
			require.Empty(m, gone[e.lane], "entry %s would come again as the newest of its lane", e.key)
		case e.delivered:
			gone[e.lane] = e.key
		default:
			require.False(m, e.accepted, "entry %s would be lost", e.key)
		}
		known := filed[e.key] && !e.over && m.j.unwritten[e.seq] == nil
		require.Equal(m, known, m.j.Has(e.key), "entry %s", e.key)
	}
	for _, n := range m.j.index.keys {
		require.Positive(m, n)
	}
}

// rest ends whatever is under way, and nothing may be left.
func (m *model) rest() {
	for m.j.Pending() > 0 || m.writing != nil {
		m.pass()
		m.j.removeAgain()
		m.commit()
		m.hear()
		m.handOn()
		m.judge(true)
	}
	m.hear()
	for m.judge(true); m.writing != nil; {
		m.commit()
	}
	for i, lane := range m.lanes {
		require.Empty(m, lane, "lane %d", i)
	}
	for _, e := range m.all {
		require.True(m, e.delivered || !e.accepted, "entry %s", e.key)
		require.Nil(m, e.aloft)
	}
	x := m.j.index
	require.Zero(m, x.bytes)
	require.Zero(m, x.stuck)
	require.Empty(m, x.lanes)
	require.Empty(m, x.keys)
	require.Empty(m, m.j.unwritten)
	require.Empty(m, m.j.fresh.entries)
	require.NoError(m, m.j.file.DB.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{entriesBucket, refusalsBucket} {
			key, _ := tx.Bucket(name).Cursor().First()
			require.Nil(m, key, "%s", name)
		}
		return nil
	}))
}

// pass lets so much time go by that what is in the queue is ripe.
func (m *model) pass() { m.j.opened = m.j.opened.Add(-patience) }

// Whatever happens in whatever order: each lane is handed on in its order, a crash loses nothing that was accepted and
// brings nothing back behind what was delivered, and nothing stays.
func TestInAnyOrderOfThings(t *testing.T) {
	t.Parallel()
	var early, late, refused atomic.Int32 // how often an entry was delivered before and after it was written, or could not be
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			j, err := open(Options{Path: journalPath(t)})
			require.NoError(t, err)
			j.file.DB.NoSync = true
			t.Cleanup(j.file.Abandon)
			m := &model{T: t, rnd: rand.New(rand.NewPCG(seed, 0)), j: j}
			steps := []func(){
				m.append, m.append, m.append, m.commit, m.commit, m.handOn, m.handOn, m.giveUp, m.pass,
				func() { m.judge(true) }, func() { m.judge(true) }, func() { m.judge(false) },
			}
			for range 150 {
				steps[m.rnd.IntN(len(steps))]()
				m.hear()
				m.crash()
			}
			m.rest()
			early.Add(m.early)
			late.Add(m.late)
			refused.Add(m.refused)
		})
	}
	for _, n := range []*atomic.Int32{&early, &late, &refused} {
		require.Greater(t, n.Load(), int32(500), "the test is of no use unless this happens often")
	}
}
