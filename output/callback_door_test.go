package output

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

// openTo makes the output for a receiver that answers with answer.
func openTo(t *testing.T, more string, answer http.HandlerFunc) (*callbackOutput, *httptest.Server) {
	t.Helper()
	far := httptest.NewServer(answer)
	t.Cleanup(far.Close)
	out, err := open(t, fmt.Sprintf("url: '%s/?token=s3cret-query'\nsignature: { scheme: none }\n%s", far.URL, more))
	require.NoError(t, err)
	return out, far
}

// A batch that fails says which of its messages did, and each failure its status.
func TestTheNackOfABatchNamesEachFailure(t *testing.T) {
	out, _ := openTo(t, "", func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) == "7" || string(body) == "49" {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	batch := make(service.MessageBatch, 50)
	for i := range batch {
		batch[i] = message(fmt.Sprint(i), "pipedrive_id", fmt.Sprint(i))
	}
	index := batch.Index()
	err := out.WriteBatch(t.Context(), batch)
	var each *service.BatchError
	require.ErrorAs(t, err, &each)
	require.ErrorContains(t, err, "2 of 50 messages, the first: posting body_")
	failed := map[int]int{}
	each.WalkMessagesIndexedBy(index, func(i int, _ *service.Message, err error) bool {
		if err != nil {
			var refused *callback.RefusedError
			assert.ErrorAs(t, err, &refused)
			failed[i] = refused.Status
		}
		return true
	})
	assert.Equal(t, map[int]int{7: 400, 49: 400}, failed)
}

// The error of a single message is its own: a fallback shows it as it is.
func TestTheNackOfOneMessageIsItsError(t *testing.T) {
	out, _ := openTo(t, "", http.NotFound)
	err := out.WriteBatch(t.Context(), service.MessageBatch{message("7")})
	var refused *callback.RefusedError
	require.ErrorAs(t, err, &refused)
	var each *service.BatchError
	assert.NotErrorAs(t, err, &each)
}

func TestCloseIsSafeTwiceAndBeforeConnect(t *testing.T) {
	out, _ := openTo(t, "", func(http.ResponseWriter, *http.Request) { assert.Fail(t, "nothing is posted") })
	require.NoError(t, out.Close(t.Context()))
	require.NoError(t, out.Close(t.Context()))
	require.ErrorIs(t, out.Connect(t.Context()), service.ErrEndOfInput)
	require.ErrorIs(t, out.WriteBatch(t.Context(), service.MessageBatch{message("7")}), service.ErrEndOfInput)
}

// A batch that was delivered before the end came is acknowledged, and not sent again after the next start.
func TestABatchThatWasDeliveredIsAcknowledgedThoughTheEndHasCome(t *testing.T) {
	out, _ := openTo(t, "", func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancel(t.Context())
	engine := out.conf.engine
	engine.Observer = endAfter{cancel}
	var err error
	out.client, err = callback.New(engine)
	require.NoError(t, err)
	require.NoError(t, out.WriteBatch(ctx, service.MessageBatch{message("7")}))
	require.ErrorIs(t, out.WriteBatch(ctx, service.MessageBatch{message("8")}), service.ErrEndOfInput)
}

// endAfter ends something after the first attempt.
type endAfter struct{ end func() }

func (e endAfter) Attempted(callback.Result, time.Duration) { e.end() }
func (endAfter) Waiting(int, time.Duration, error)          {}

func TestCloseEndsAMessageThatWaits(t *testing.T) {
	came := make(chan struct{})
	out, _ := openTo(t, "retry: { initial_interval: 1h }", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		close(came)
	})
	written := make(chan error, 1)
	go func() { written <- out.WriteBatch(context.Background(), service.MessageBatch{message("7")}) }()
	<-came
	require.NoError(t, out.Close(t.Context()))
	require.ErrorIs(t, <-written, service.ErrEndOfInput)
}

// An application that lets nobody in without a header of its own is asked with it: what only a message has cannot be sent.
func TestAskingSendsTheHeadersThatEveryMessageHas(t *testing.T) {
	var asked http.Header
	out, far := openTo(t, "headers: { X-Key: k3y-of-ours, X-Object: '${! @pipedrive_object }', Content-Type: text/plain }", func(_ http.ResponseWriter, r *http.Request) {
		asked = r.Header
	})
	require.NoError(t, out.ConnectionTest(t.Context())[0].Err)
	assert.Equal(t, []string{"k3y-of-ours"}, asked.Values("X-Key"))
	assert.Empty(t, asked.Values("X-Object"))
	assert.Empty(t, asked.Values("Content-Type"), "a HEAD has no body")

	c, err := InspectCallback(checkup.Where{Path: "root.output"}, fmt.Sprintf("url: '%s'\nsignature: { scheme: none }\nheaders: { x-key: k3y-of-ours, x-object: '${! @pipedrive_object }' }", far.URL), service.MockResources())
	require.NoError(t, err)
	t.Cleanup(c.Client.Close)
	assert.Equal(t, http.Header{"X-Key": {"k3y-of-ours"}}, c.Header)
	assert.Equal(t, []string{"X-Object"}, c.Unknown)
}

func TestConnectionTestPostsNothing(t *testing.T) {
	out, far := openTo(t, "", func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodHead, r.Method)
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
	results := out.ConnectionTest(t.Context())
	require.Len(t, results, 1)
	require.NoError(t, results[0].Err)
	far.Close()
	results = out.ConnectionTest(t.Context())
	require.ErrorContains(t, results[0].Err, "connection refused")
	assert.NotContains(t, results[0].Err.Error(), "s3cret")
}
