package fields

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

const (
	company = "10400001"
	tier    = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
	region  = "0f1e2d3c4b5a69788796a5b4c3d2e1f000112233"
	unknown = "ffffffffffffffffffffffffffffffffffffffff"
)

// account is the far side: what is defined there, and how it answers.
type account struct {
	mu     sync.Mutex
	fields map[string]string // names by key
	lag    time.Duration     // of every answer
	down   error
	lists  []string // the kinds that were asked for
	me     int      // how often was asked whose it is
}

func (a *account) list(ctx context.Context, kind string) ([]entity.Field, error) {
	a.mu.Lock()
	a.lists = append(a.lists, kind)
	lag, down := a.lag, a.down
	var list []entity.Field
	for _, key := range slices.Sorted(maps.Keys(a.fields)) {
		list = append(list, entity.Field{Key: key, Name: a.fields[key], Type: "enum"})
	}
	a.mu.Unlock()
	if err := pass(ctx, lag); err != nil {
		return nil, err
	}
	return list, down
}

func (a *account) company(ctx context.Context) (string, error) {
	a.mu.Lock()
	a.me++
	lag, down := a.lag, a.down
	a.mu.Unlock()
	if err := pass(ctx, lag); err != nil {
		return "", err
	}
	return company, down
}

func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *account) set(edit func(*account)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	edit(a)
}

func (a *account) asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.lists)
}

// world is a book and its account, with a clock of its own.
func world(t *testing.T, test func(t *testing.T, b *Book, a *account)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := &account{fields: map[string]string{tier: "Tier"}, lag: time.Second}
		test(t, New(Config{List: a.list, Company: a.company}), a)
	})
}

func keys(all ...string) iter.Seq[string] { return slices.Values(all) }

// ask is one event with the keys.
func ask(t *testing.T, b *Book, all ...string) map[string]entity.Field {
	t.Helper()
	fields, err := b.Of(t.Context(), company, "deal", keys(all...))
	require.NoError(t, err)
	return fields
}

var errDown = errors.New("the API is down")

func TestAListIsReadOnceHoweverManyAskAtTheSameTime(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() { assert.Equal(t, "Tier", ask(t, b, tier)[tier].Name) })
		}
		callers.Wait()
		began := time.Now()
		for range 1000 {
			ask(t, b, tier)
		}
		assert.Zero(t, time.Since(began), "and kept")
		assert.Equal(t, []string{"deal"}, a.lists)
		assert.Equal(t, 1, a.me)
	})
}

func TestKindsThatShareAListShareTheReading(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		for _, kind := range []string{"lead", "deal", "person", "lead"} {
			_, err := b.Of(t.Context(), company, kind, keys(tier))
			require.NoError(t, err)
		}
		assert.Equal(t, []string{"lead", "person"}, a.lists)
	})
}

func TestWhatHasNoCustomFieldsCostsNothing(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		for _, kind := range []string{"user", "note", "board", ""} {
			fields, err := b.Of(t.Context(), company, kind, keys(tier))
			require.NoError(t, err)
			assert.NotNil(t, fields)
			assert.Empty(t, fields)
		}
		assert.Empty(t, ask(t, b), "an event without custom fields")
		assert.Zero(t, a.asked()+a.me)
		fields, err := b.Of(t.Context(), company, "deal", nil)
		require.NoError(t, err)
		assert.Len(t, fields, 1, "nobody says which keys there are")
	})
}

func TestAListIsReadAgainAfterTheInterval(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		ask(t, b, tier)
		a.set(func(a *account) { a.fields[tier] = "Level" })
		<-time.After(time.Hour - time.Second)
		assert.Equal(t, "Tier", ask(t, b, tier)[tier].Name)
		<-time.After(time.Second)
		assert.Equal(t, "Level", ask(t, b, tier)[tier].Name, "nobody is told a name that is older than the interval")
		assert.Equal(t, 2, a.asked())
		<-time.After(240 * time.Hour)
		assert.Equal(t, 2, a.asked(), "nobody asked")
	})
}

func TestANewKeyIsLookedUpAtOnce(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		ask(t, b, tier)
		a.set(func(a *account) { a.fields[region] = "Region" })
		<-time.After(time.Minute)
		assert.Equal(t, "Region", ask(t, b, tier, region)[region].Name)
		assert.Equal(t, 2, a.asked())

		a.set(func(a *account) { a.fields[unknown] = "Newer still" })
		<-time.After(time.Minute - time.Second)
		assert.NotContains(t, ask(t, b, unknown), unknown, "but not more often than the pause allows")
		<-time.After(time.Second)
		assert.Contains(t, ask(t, b, unknown), unknown)
		assert.Equal(t, 3, a.asked())
	})
}

func TestAKeyThatNobodyDefinesSoonCostsNothing(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		day := func() (requests int) {
			before := a.asked()
			for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); <-time.After(10 * time.Second) {
				assert.Contains(t, ask(t, b, tier, unknown), tier)
			}
			return a.asked() - before
		}
		assert.LessOrEqual(t, day(), 24+7)
		assert.LessOrEqual(t, day(), 24, "no more than without it")
		a.set(func(a *account) { a.fields[unknown] = "Late" })
		<-time.After(time.Hour)
		assert.Contains(t, ask(t, b, unknown), unknown, "and once it is defined it is found")
		assert.Empty(t, b.page("/api/v2/dealFields").missing.keys)
	})
}

func TestManyUnknownKeysCostOneReadingAPauseAndLittleMemory(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		ask(t, b, tier)
		const minutes = 300
		for i := range minutes * 60 {
			ask(t, b, fmt.Sprintf("%040x", i))
			<-time.After(time.Second)
		}
		assert.LessOrEqual(t, a.asked(), minutes+1)
		p := b.page("/api/v2/dealFields")
		assert.LessOrEqual(t, len(p.missing.keys), mostMissing)
		for i := range 2 * mostMissing {
			p.missing.note(keys(fmt.Sprintf("x%039x", i)), answer[map[string]entity.Field]{}, time.Minute, time.Hour)
		}
		assert.Len(t, p.missing.keys, mostMissing)
		assert.False(t, p.missing.due(keys("one more"), nil, time.Now()))
	})
}

func TestAnOldListIsBetterThanNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &account{fields: map[string]string{tier: "Tier"}}
		var heard []error
		b := New(Config{List: a.list, Company: a.company, Failed: func(err error) { heard = append(heard, err) }})
		ask(t, b, tier)
		a.set(func(a *account) { a.down, a.fields[tier] = errDown, "Level" })
		for range 24 * 60 {
			<-time.After(time.Minute)
			assert.Equal(t, "Tier", ask(t, b, tier, unknown)[tier].Name)
		}
		assert.Equal(t, []error{errDown}, heard, "said once, not every time")
		asked := a.asked()
		assert.LessOrEqual(t, asked, 24*60/5+10, "a dead API is not hammered")

		a.set(func(a *account) { a.down = nil })
		<-time.After(lastRetry)
		assert.Equal(t, "Level", ask(t, b, tier)[tier].Name)
		assert.Equal(t, asked+1, a.asked())
	})
}

func TestWithNothingToAnswerFromThereIsAnError(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		require.NoError(t, b.check(t.Context(), company))
		a.set(func(a *account) { a.down = errDown })
		fail := func() (took time.Duration) {
			began := time.Now()
			fields, err := b.Of(t.Context(), company, "deal", keys(tier))
			require.ErrorIs(t, err, errDown)
			assert.ErrorContains(t, err, "reading the fields of a deal")
			assert.Nil(t, fields)
			return time.Since(began)
		}
		assert.Equal(t, time.Second, fail())
		for range 100 {
			assert.Zero(t, fail(), "at once, for a while")
		}
		assert.Equal(t, 1, a.asked())
		<-time.After(firstRetry)
		assert.Equal(t, time.Second, fail())
		<-time.After(firstRetry)
		assert.Zero(t, fail(), "the while grows")
		a.set(func(a *account) { a.down = nil })
		<-time.After(firstRetry)
		assert.Contains(t, ask(t, b, tier), tier)
		assert.Equal(t, 3, a.asked())
	})
}

func TestADeadAPIMakesFewEventsSlow(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		ask(t, b, tier)
		a.set(func(a *account) { a.lag = time.Hour }) // it takes the request and never answers
		<-time.After(2 * time.Hour)
		slow := 0
		for range 3600 {
			began := time.Now()
			assert.Equal(t, "Tier", ask(t, b, tier)[tier].Name)
			if took := time.Since(began); took > 0 {
				assert.LessOrEqual(t, took, patience)
				slow++
			}
			<-time.After(time.Second)
		}
		assert.LessOrEqual(t, slow, 20)
	})
}

func TestAnEventOfAnotherCompanyIsNeverResolved(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		fields, err := b.Of(t.Context(), "777", "deal", keys(tier))
		var other *OtherCompanyError
		require.ErrorAs(t, err, &other)
		assert.Equal(t, OtherCompanyError{Event: "777", Connection: company}, *other)
		require.EqualError(t, err, "the event is of company 777 and the connection of company 10400001: its custom fields cannot be resolved")
		assert.Nil(t, fields)
		assert.Zero(t, a.asked(), "nor does it cost a list")
		ask(t, b, tier)
		_, err = b.Of(t.Context(), "777", "deal", keys(tier))
		require.ErrorAs(t, err, &other)
		assert.Equal(t, 1, a.me)
	})
}

func TestAnEventThatNamesNoCompanyIsTakenForOurs(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		fields, err := b.Of(t.Context(), "", "deal", keys(tier))
		require.NoError(t, err)
		assert.Contains(t, fields, tier)
		assert.Zero(t, a.me)
	})
}

func TestWithoutKnowingTheCompanyNothingIsResolved(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		a.set(func(a *account) { a.down = errDown })
		for range 10 {
			_, err := b.Of(t.Context(), company, "deal", keys(tier))
			require.ErrorIs(t, err, errDown)
			assert.ErrorContains(t, err, "which company")
		}
		assert.Equal(t, 1, a.me)
		assert.Zero(t, a.asked())
		a.set(func(a *account) { a.down = nil })
		<-time.After(firstRetry)
		assert.Contains(t, ask(t, b, tier), tier)
	})
}

// Whoever asks may go away; those who wait go on.
func TestACallerThatGoesAwayTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		require.NoError(t, b.check(t.Context(), company))
		ctx, leave := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		var callers sync.WaitGroup
		callers.Go(func() {
			_, err := b.Of(ctx, company, "deal", keys(tier))
			assert.ErrorIs(t, err, gone)
		})
		synctest.Wait()
		for range 5 {
			callers.Go(func() { assert.Contains(t, ask(t, b, tier), tier) })
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := b.Of(impatient, company, "deal", keys(tier))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		leave(gone)
		callers.Wait()
		assert.Equal(t, 2, a.asked(), "the next one asked, and a caller who leaves is no failure")
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &account{fields: map[string]string{tier: "Tier"}}
		broken := true
		b := New(Config{Company: a.company, List: func(ctx context.Context, kind string) ([]entity.Field, error) {
			if broken {
				panic("a mistake")
			}
			return a.list(ctx, kind)
		}})
		assert.Panics(t, func() { ask(t, b, tier) })
		_, err := b.Of(t.Context(), company, "deal", keys(tier))
		require.ErrorIs(t, err, errNoEnd)
		broken = false
		<-time.After(firstRetry)
		assert.Contains(t, ask(t, b, tier), tier)
	})
}

func TestManyCallersAndMuchChange(t *testing.T) {
	t.Parallel()
	world(t, func(t *testing.T, b *Book, a *account) {
		var callers sync.WaitGroup
		for i := range 8 {
			callers.Go(func() {
				for n := range 500 {
					key := fmt.Sprintf("%040x", (n+i)%7)
					fields, err := b.Of(t.Context(), company, []string{"deal", "person", "lead"}[n%3], keys(tier, key))
					if err == nil {
						assert.Contains(t, fields, tier)
					}
					<-time.After(time.Duration(n%5) * time.Second)
				}
			})
		}
		callers.Go(func() {
			for n := range 200 {
				a.set(func(a *account) {
					a.fields = maps.Clone(a.fields)
					a.fields[fmt.Sprintf("%040x", n%7)] = "New"
					a.down = []error{nil, nil, errDown}[n%3]
				})
				<-time.After(5 * time.Second)
			}
		})
		callers.Wait()
	})
}
