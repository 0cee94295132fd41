package input

import (
	"log/slog"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
)

// progressLog is a progress in virtual time, and the lines that it has logged.
type progressLog struct {
	*progress

	mu      sync.Mutex
	written []byte
}

func (p *progressLog) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.written = append(p.written, b...)
	return len(b), nil
}

func watching(t *testing.T, test func(t *testing.T, p *progressLog), objects ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &progressLog{}
		var rows []entity.Object
		for _, name := range objects {
			row, known := entity.Lookup(name)
			require.True(t, known)
			rows = append(rows, row)
		}
		log := service.NewLoggerFromSlog(slog.New(slog.NewTextHandler(p, nil)))
		p.progress = newProgress(rows, newPollMetrics(service.MockResources()), log)
		defer p.close()
		test(t, p)
	})
}

var message = regexp.MustCompile(`msg="([^"]*)"`)

// pass lets virtual time go by and returns the lines that came since the last call.
func (p *progressLog) pass(d time.Duration) (lines []string) {
	<-time.After(d)
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, found := range message.FindAllSubmatch(p.written, -1) {
		lines = append(lines, string(found[1]))
	}
	p.written = nil
	return lines
}

func TestAFirstWalkIsALineEveryTenSeconds(t *testing.T) {
	t.Parallel()
	watching(t, func(t *testing.T, p *progressLog) {
		p.FirstWalk("deals", poll.Progress{})
		p.FirstWalk("files", poll.Progress{Records: 1000, Pages: 10}) // taken up again
		p.FirstWalk("users", poll.Progress{Done: true})
		assert.Empty(t, p.pass(9*time.Second))
		p.FirstWalk("deals", poll.Progress{Records: 12_500, Pages: 25, Part: 0.25, Left: 29700 * time.Millisecond})
		p.FirstWalk("files", poll.Progress{Records: 1203, Pages: 13})
		assert.Equal(t, []string{
			"First walk of deals: 12,500 records in 25 pages, 1,250 records/s; going by update_time 25% is read, about 30s to go",
			"First walk of files: 1,203 records in 13 pages, 20.3 records/s",
		}, p.pass(2*time.Second))

		assert.Empty(t, p.pass(time.Minute), "nothing comes on, which is told where it is known why")
		p.FirstWalk("deals", poll.Progress{Records: 13_000, Pages: 26, Part: 0.26, Left: 3 * time.Hour, Short: true})
		assert.Equal(t, []string{
			"First walk of deals: 13,000 records in 26 pages, 50 records/s; going by update_time 26% is read, about 3h0m0s to go, as today's tokens do not suffice",
		}, p.pass(10*time.Second))

		p.FirstWalk("deals", poll.Progress{Records: 13_100, Pages: 27, Done: true})
		p.FirstWalk("files", poll.Progress{Records: 1300, Pages: 14, Done: true})
		assert.Equal(t, []string{
			"The first walk of deals is over: 13,100 records in 27 pages",
			"The first walk of files is over: 1,300 records in 14 pages",
		}, p.pass(0))
		assert.Empty(t, p.pass(time.Hour), "normal running is silent")
	}, "deals", "files", "users")
}

func TestTheEndOfAFirstWalkIsToldWhenItsProgressWas(t *testing.T) {
	t.Parallel()
	watching(t, func(t *testing.T, p *progressLog) {
		p.FirstWalk("deals", poll.Progress{})
		p.FirstWalk("persons", poll.Progress{})
		p.FirstWalk("deals", poll.Progress{Records: 500, Pages: 1})
		require.Len(t, p.pass(10*time.Second), 1)
		p.FirstWalk("deals", poll.Progress{Records: 700, Pages: 2, Done: true})
		p.FirstWalk("persons", poll.Progress{Records: 3, Pages: 1, Done: true})
		assert.Equal(t, []string{"The first walk of deals is over: 700 records in 2 pages"}, p.pass(time.Second))
		select {
		case <-p.over:
		default:
			assert.Fail(t, "there is nothing left to tell")
		}
	}, "deals", "persons")
}
