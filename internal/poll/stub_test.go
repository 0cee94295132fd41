package poll_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/stretchr/testify/require"
)

// stub answers what the simulator would not: lists that break their promises.
type stub struct {
	mu       sync.Mutex
	requests int
	answer   func(r *http.Request, start, limit int) string
	status   func(r *http.Request) (int, http.Header)
}

func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	h := http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}, "Content-Type": {"application/json"}}
	body := `{"success":true,"data":{"id":1,"company_id":5,"company_domain":"x"}}`
	code := 200
	if !strings.HasSuffix(r.URL.Path, "/me") {
		start, _ := strconv.Atoi(r.URL.Query().Get("start"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		if s.status != nil {
			c, hh := s.status(r)
			code = c
			for k, v := range hh {
				h[k] = v
			}
		}
		body = s.answer(r, start, limit)
	}
	return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

func page(rows []string, start, limit int) string {
	end := min(start+limit, len(rows))
	if start > len(rows) {
		start = len(rows)
	}
	more := end < len(rows)
	next := ""
	if more {
		next = fmt.Sprintf(`,"next_start":%d`, end)
	}
	return fmt.Sprintf(`{"success":true,"data":[%s],"additional_data":{"pagination":{"start":%d,"limit":%d,"more_items_in_collection":%v%s}}}`, strings.Join(rows[start:end], ","), start, limit, more, next)
}

func runStub(t *testing.T, s *stub, obj entity.Object, pageSize int, d time.Duration, log *logLines) (got []change, e *poll.Engine, done func()) {
	client, err := pipedrive.New(pipedrive.Config{BaseURL: "http://x.test", APIToken: "a", Timeout: 30 * time.Second, Transport: s, DailyShare: 1, Log: log})
	require.NoError(t, err)
	client.Restore(pipedrive.Spend{})
	p := poll.NewPosition(cursor.Account{Company: "5"}, obj, poll.Beginning, time.Now())
	var mu sync.Mutex
	e = poll.Start(poll.Config{
		Client: client, Sources: []poll.Source{{Object: obj, Position: p}}, Interval: time.Minute, FullReadInterval: 15 * time.Minute, Overlap: time.Minute, CreatedTolerance: 5 * time.Second, PageSize: pageSize, Owner: "t", Log: log, Observer: nobody{},
		HandOn: func(_ context.Context, pg poll.Page) error {
			mu.Lock()
			defer mu.Unlock()
			for _, r := range pg.Records {
				got = append(got, change{pg.Object.Name, r.ID, r.Action, string(r.JSON), r.Time, r.Settled})
			}
			return nil
		},
	})
	<-time.After(d)
	synctest.Wait()
	mu.Lock()
	defer mu.Unlock()
	return append([]change(nil), got...), e, func() { e.Stop(); client.Close() }
}
