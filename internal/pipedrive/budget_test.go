package pipedrive

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const quarter = 15 * time.Minute

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// at is a moment relative to noon of a day in which the budget is watched.
func at(d time.Duration) time.Time { return noon.Add(d) }

// spend lets one request through and gives it an ordinary answer. left below 0 is an answer without headers.
func spend(t *testing.T, b *budget, now time.Time, tokens int, left int64) {
	t.Helper()
	ticket, kind, _ := b.admit(now, tokens, quarter)
	require.Empty(t, kind)
	b.settle(now, ticket, told{answered: true, left: left}, quarter)
}

func refuse(t *testing.T, b *budget, now time.Time, again time.Duration) {
	t.Helper()
	ticket, kind, _ := b.admit(now, 10, quarter)
	require.Empty(t, kind)
	b.settle(now, ticket, told{answered: true, free: true, left: -1, spent: true, again: again}, quarter)
}

func assertRefused(t *testing.T, b *budget, now time.Time, kind Kind, after time.Duration) {
	t.Helper()
	_, k, d := b.admit(now, 10, quarter)
	assert.Equal(t, kind, k)
	assert.Equal(t, after, d)
}

func TestWithoutHeadersADayHas30000TokensAndEndsAtMidnightUTC(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	b.joined("a", 0.5)
	assert.EqualValues(t, 15_000, b.remaining(noon))
	assert.Equal(t, at(12*time.Hour), b.next(noon))

	spend(t, b, noon, 14_995, -1)
	assert.EqualValues(t, 5, b.remaining(noon))
	assertRefused(t, b, at(time.Hour), KindShare, 11*time.Hour)
	assert.EqualValues(t, 15_000, b.remaining(at(12*time.Hour)), "a new day")
	assert.Equal(t, at(36*time.Hour), b.next(at(12*time.Hour)))
	assert.Equal(t, at(84*time.Hour), b.next(at(80*time.Hour)), "days that nobody looked at")
}

func TestOfDifferingSharesTheSmallestHolds(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	b.joined("a", 0.5)
	b.joined("b", 0.1)
	assert.EqualValues(t, 3_000, b.remaining(noon))
	b.forget("b")
	assert.EqualValues(t, 15_000, b.remaining(noon))
}

func TestHeadersSayWhatTheCompanyHas(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	b.joined("a", 0.5)
	ticket, _, _ := b.admit(noon, 10, quarter)
	b.settle(noon, ticket, told{answered: true, limit: 150_000, left: 140_000}, quarter)
	assert.EqualValues(t, 75_000-10, b.remaining(noon))

	spend(t, b, noon, 10, 300) // the others have been busy
	assert.EqualValues(t, 290, b.remaining(noon), "what is told is from before the request's own charge")
	spend(t, b, noon, 10, -1)
	assert.EqualValues(t, 280, b.remaining(noon), "without headers what is spent is taken off")
}

func TestRequestsUnderWayAreTakenOffWhatIsTold(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	first, _, _ := b.admit(noon, 20, quarter)
	second, _, _ := b.admit(noon, 40, quarter)
	b.settle(noon, first, told{answered: true, left: 1000}, quarter)
	assert.EqualValues(t, 1000-20-40, b.remaining(noon))
	b.settle(noon, second, told{answered: true, left: 980}, quarter)
	assert.EqualValues(t, 980-40, b.remaining(noon))
}

func TestARequestThatWasTurnedAwayCostsNothing(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	before := b.remaining(noon)
	ticket, _, _ := b.admit(noon, 10, quarter)
	assert.Equal(t, before-10, b.remaining(noon))
	b.settle(noon, ticket, told{free: true, left: -1}, quarter)
	assert.Equal(t, before, b.remaining(noon))

	spend(t, b, noon, 10, 500)
	ticket, _, _ = b.admit(noon, 10, quarter)
	b.settle(noon, ticket, told{free: true, left: -1}, quarter)
	assert.EqualValues(t, 490, b.remaining(noon), "nor the company")

	b = newBudget(noon)
	ticket, _, _ = b.admit(noon, 10, quarter)
	b.settle(noon, ticket, told{left: -1}, quarter)
	assert.Equal(t, before-10, b.remaining(noon), "one without an answer may have been charged")
}

func TestASpentBudgetIsTriedOnceAProbeInterval(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	refuse(t, b, noon, 0)
	assertRefused(t, b, noon, KindDaily, quarter)
	assertRefused(t, b, at(10*time.Minute), KindDaily, 5*time.Minute)
	assert.Zero(t, b.remaining(noon))
	assert.Equal(t, at(quarter), b.next(noon))
	assert.True(t, math.IsInf(b.stretch(noon), 1))

	assert.False(t, math.IsInf(b.stretch(at(quarter)), 1), "somebody has to try")
	probe, kind, _ := b.admit(at(quarter), 10, quarter)
	require.Empty(t, kind)
	assertRefused(t, b, at(quarter), KindDaily, time.Second)
	assert.True(t, b.next(at(quarter)).After(at(quarter)))
	b.settle(at(quarter), probe, told{answered: true, free: true, left: -1, spent: true}, quarter)
	assertRefused(t, b, at(quarter), KindDaily, quarter)

	probe, kind, _ = b.admit(at(2*quarter), 10, quarter)
	require.Empty(t, kind)
	b.settle(at(2*quarter), probe, told{left: -1}, quarter) // no answer: the next one tries
	probe, kind, _ = b.admit(at(2*quarter), 10, quarter)
	require.Empty(t, kind)
	b.settle(at(2*quarter), probe, told{answered: true, left: -1}, quarter)
	spend(t, b, at(2*quarter), 10, -1)
}

func TestRetryAfterTeachesWhenTheDayEnds(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	spend(t, b, noon, 5_000, -1)
	refuse(t, b, noon, 3*time.Hour)
	assertRefused(t, b, at(time.Hour), KindDaily, 2*time.Hour)
	assert.Equal(t, Spend{Reset: at(3 * time.Hour), Tokens: 5_000}, b.total(noon))
	spend(t, b, at(3*time.Hour), 10, -1)
	assert.Equal(t, Spend{Reset: at(27 * time.Hour), Tokens: 10}, b.total(at(4*time.Hour)))
}

func TestARetryAfterIsNotBelievedBeyondADay(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	refuse(t, b, noon, 1000*time.Hour)
	assertRefused(t, b, noon, KindDaily, 24*time.Hour+5*time.Minute)
}

func TestALeapOfWhatIsLeftIsANewDay(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	spend(t, b, at(0), 4_000, 9_000)
	spend(t, b, at(2*time.Minute), 10, 5_100) // a step upwards is an answer out of order
	assert.EqualValues(t, 4_010, b.total(at(2*time.Minute)).Tokens)
	spend(t, b, at(16*time.Minute), 10, 29_900)
	assert.Equal(t, Spend{Reset: at(24*time.Hour + quarter), Tokens: 10}, b.total(at(16*time.Minute)), "midnight somewhere: on a quarter of an hour")
	assert.EqualValues(t, 29_890, b.remaining(at(16*time.Minute)))
}

func TestTheLeapAfterAMidnightThatWasExpectedChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	spend(t, b, at(11*time.Hour), 4_000, 9_000)
	spend(t, b, at(13*time.Hour), 10, -1)
	spend(t, b, at(14*time.Hour), 20, 29_000)
	assert.Equal(t, Spend{Reset: at(36 * time.Hour), Tokens: 30}, b.total(at(14*time.Hour)))
}

func TestAServedProbeIsANewDayWhenNobodySaidWhenItBegins(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	spend(t, b, noon, 29_000, -1)
	refuse(t, b, at(time.Minute), 0)
	spend(t, b, at(16*time.Minute), 10, -1)
	assert.Equal(t, Spend{Reset: at(24*time.Hour + quarter), Tokens: 10}, b.total(at(16*time.Minute)))
}

func TestACompanyWithoutTokensShutsBeforeItIsAskedAgain(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	spend(t, b, noon, 10, 10)
	assertRefused(t, b, noon, KindDaily, quarter)
	spend(t, b, at(quarter), 10, 25_000) // the probe
	assert.EqualValues(t, 24_990, b.remaining(at(quarter)))
}

func TestWaitingRequestsStayWhenTheBudgetShutsMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	waiting, _, _ := b.admit(noon, 10, quarter)
	assert.Zero(t, b.closed(noon, waiting))
	refuse(t, b, noon, 0)
	assert.Equal(t, quarter, b.closed(noon, waiting))
}

func TestARestartDoesNotBeginANewShare(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	b.joined("a", 0.5)
	spend(t, b, noon, 2, -1)
	b.restore(noon, Spend{Reset: at(12 * time.Hour), Tokens: 14_000})
	assert.EqualValues(t, 1_000, b.remaining(noon))
	b.restore(noon, Spend{Reset: at(12 * time.Hour), Tokens: 100})
	assert.EqualValues(t, 1_000, b.remaining(noon), "the larger holds")

	b = newBudget(noon)
	b.restore(noon, Spend{Reset: at(-time.Minute), Tokens: 14_000})
	assert.EqualValues(t, 30_000, b.remaining(noon), "yesterday's")
	refuse(t, b, noon, time.Hour)
	b.restore(noon, Spend{Reset: at(-time.Minute), Tokens: 14_000})
	assert.Zero(t, b.total(noon).Tokens, "yesterday's")

	b = newBudget(noon)
	b.restore(noon, Spend{Reset: at(9 * time.Hour), Tokens: 14_000})
	assert.Equal(t, at(9*time.Hour), b.next(noon), "an end that was learned before")
}

func TestCyclesAreStretchedOverTheDay(t *testing.T) {
	t.Parallel()
	b := newBudget(noon)
	b.joined("a", 0.5)
	assert.InDelta(t, 1, b.stretch(noon), 0)
	b.announce(plan{"a", "deals"}, 10.0/60)
	assert.InDelta(t, 1, b.stretch(noon), 0, "7,200 of 15,000 tokens")
	b.announce(plan{"b", "deals"}, 40.0/60)
	assert.InDelta(t, 36_000.0/15_000, b.stretch(noon), 1e-9)
	b.announce(plan{"a", "deals"}, 0)
	assert.InDelta(t, 28_800.0/15_000, b.stretch(noon), 1e-9)
	spend(t, b, noon, 15_000, -1)
	assert.True(t, math.IsInf(b.stretch(noon), 1))
	b.forget("b")
	assert.InDelta(t, 1, b.stretch(at(12*time.Hour)), 0)
}

func TestWhatWasSpentBeforeTheCompanyWasKnownIsCounted(t *testing.T) {
	t.Parallel()
	s := NewShared()
	one := s.acquire([32]byte{1}, "a", 1)
	two := s.acquire([32]byte{2}, "b", 0.5)
	now := time.Now()
	spend(t, s.budgetOf(one), now, 100, -1)
	spend(t, s.budgetOf(two), now, 10, -1)
	s.join(one, "7")
	s.join(two, "7")
	s.join(two, "7")
	require.Same(t, s.budgetOf(one), s.budgetOf(two))
	assert.EqualValues(t, 110, s.budgetOf(one).total(now).Tokens)
	assert.EqualValues(t, 15_000-110, s.budgetOf(one).remaining(now))
	s.release(two, "b")
	assert.EqualValues(t, 30_000-110, s.budgetOf(one).remaining(now))
}
