package poll_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever takes the pages is not called any more once Stop has returned, however long the last call takes.
func TestStopWaitsForTheWalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: func(*http.Request, int, int) string { return page([]string{`{"id":1}`}, 0, 500) }}
		client, err := pipedrive.New(pipedrive.Config{BaseURL: "http://x.test", APIToken: "a", Timeout: time.Minute, Transport: s, DailyShare: 1})
		require.NoError(t, err)
		defer client.Close()
		var inside atomic.Int32
		var sources []poll.Source
		for _, name := range []string{"users", "pipelines", "deals"} {
			object, _ := entity.Lookup(name)
			p := poll.NewPosition(cursor.Account{Company: "5"}, object, poll.Beginning, time.Now())
			sources = append(sources, poll.Source{Object: object, Position: p})
		}
		e := poll.Start(poll.Config{
			Client: client, Sources: sources, Interval: time.Minute, FullReadInterval: time.Minute, Overlap: time.Minute, PageSize: 500,
			Owner: "t", Log: &logLines{}, Observer: nobody{},
			HandOn: func(ctx context.Context, _ poll.Page) error {
				inside.Add(1)
				defer inside.Add(-1)
				<-ctx.Done()
				<-time.After(5 * time.Second)
				return ctx.Err()
			},
		})
		synctest.Wait()
		require.EqualValues(t, 3, inside.Load())
		e.Stop()
		assert.Zero(t, inside.Load())
	})
}
