package output_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// quick makes retries come at once.
const quick = "retry: { max_attempts: 3, initial_interval: 1ms, max_interval: 1ms }"

// withDeadLetters is a callback as the recipes have it: first in a fallback, a file behind it.
func withDeadLetters(file, more string) string {
	return fmt.Sprintf(`
fallback:
  - pipedrive_callback:
      url: %%URL/events?token=s3cret-query
      signature: { scheme: elements, keys: [ s3cret-key ] }
      %s
  - file: { path: %s, codec: lines }
    processors:
      - mapping: |
          root.error = @fallback_error
          root.metadata = metadata().without("fallback_error")
          root.body = content().string()
`, more, file)
}

type deadLetter struct {
	Error    string            `json:"error"`
	Body     string            `json:"body"`
	Metadata map[string]string `json:"metadata"`
}

func read(t *testing.T, line string) (d deadLetter) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(line), &d))
	return d
}

func TestAFinalRefusalReachesTheDeadLetterWithItsStatus(t *testing.T) {
	far := newReceiver(t, func(w http.ResponseWriter, _ string) {
		http.Error(w, "no such\robject", http.StatusUnprocessableEntity)
	})
	file := filepath.Join(t.TempDir(), "dead_letters.jsonl")
	p := newPipeline(t, far, withDeadLetters(file, quick))
	batch := batchOf(`{"id":"pd1_1","title":"Blue Harbor"}`)
	batch[0].MetaSetMut("pipedrive_object", "deal")
	require.NoError(t, p.send(t.Context(), batch))
	p.stop()
	lines := deadLetters(t, file)
	require.Len(t, lines, 1)
	letter := read(t, lines[0])
	assert.Equal(t, "posting pd1_1 to "+far.Listener.Addr().String()+": 422 Unprocessable Entity: no such object", letter.Error)
	assert.JSONEq(t, `{"id":"pd1_1","title":"Blue Harbor"}`, letter.Body)
	assert.Equal(t, map[string]string{"pipedrive_object": "deal"}, letter.Metadata)
	assert.Len(t, far.bodies(), 1, "asked once")
}

func TestWhatIsNeverTakenReachesTheDeadLetterAfterItsLastTry(t *testing.T) {
	far := newReceiver(t, func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusBadGateway) })
	file := filepath.Join(t.TempDir(), "dead_letters.jsonl")
	p := newPipeline(t, far, withDeadLetters(file, quick))
	require.NoError(t, p.send(t.Context(), batchOf(`{}`)))
	p.stop()
	lines := deadLetters(t, file)
	require.Len(t, lines, 1)
	assert.Contains(t, read(t, lines[0]).Error, "given up after try 3: 502 Bad Gateway")
	assert.Len(t, far.bodies(), 3)
	assert.Len(t, slices.Compact(far.ids), 1, "under one id")
}

// fifty is a batch of as many messages, of which the receiver refuses three.
func fifty() (service.MessageBatch, func(http.ResponseWriter, string), []string) {
	bodies := make([]string, 50)
	for i := range bodies {
		bodies[i] = fmt.Sprintf(`{"n":%d}`, i)
	}
	bad := []string{bodies[7], bodies[8], bodies[49]}
	return batchOf(bodies...), func(w http.ResponseWriter, body string) {
		if slices.Contains(bad, body) {
			w.WriteHeader(http.StatusBadRequest)
		}
	}, bad
}

func TestOfABatchOnlyTheRefusedReachTheDeadLetterAndNothingIsSentTwice(t *testing.T) {
	batch, answer, bad := fifty()
	far := newReceiver(t, answer)
	file := filepath.Join(t.TempDir(), "dead_letters.jsonl")
	p := newPipeline(t, far, withDeadLetters(file, quick))
	require.NoError(t, p.send(t.Context(), batch))
	p.stop()
	var refused []string
	for _, line := range deadLetters(t, file) {
		letter := read(t, line)
		assert.Contains(t, letter.Error, "400 Bad Request")
		refused = append(refused, letter.Body)
	}
	assert.ElementsMatch(t, bad, refused)
	got := far.bodies()
	assert.Len(t, got, 50)
	slices.Sort(got)
	assert.Len(t, slices.Compact(got), 50)
}

// The host replays what was nacked: of a batch that is only what failed.
func TestOfABatchOnlyTheRefusedAreReplayed(t *testing.T) {
	var mu sync.Mutex
	refusals := map[string]int{}
	far := newReceiver(t, func(w http.ResponseWriter, body string) {
		mu.Lock()
		defer mu.Unlock()
		if slices.Contains([]string{"7", "8", "49"}, body) && refusals[body] < 2 {
			refusals[body]++
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	b := service.NewStreamBuilder()
	require.NoError(t, b.SetLoggerYAML("level: OFF"))
	require.NoError(t, b.AddInputYAML("generate: { count: 50, batch_size: 50, interval: '', mapping: 'root = counter() - 1' }"))
	require.NoError(t, b.AddOutputYAML("pipedrive_callback: { url: '"+far.URL+"', signature: { scheme: none } }"))
	stream, err := b.Build()
	require.NoError(t, err)
	require.NoError(t, stream.Run(t.Context()))
	count := map[string]int{}
	for _, body := range far.bodies() {
		count[body]++
	}
	assert.Len(t, count, 50)
	for body, n := range count {
		if slices.Contains([]string{"7", "8", "49"}, body) {
			assert.Equal(t, 3, n, body)
		} else {
			assert.Equal(t, 1, n, body)
		}
	}
}

// What cannot be sent at all is refused alone.
func TestAMessageThatCannotBeReadFailsAlone(t *testing.T) {
	far := newReceiver(t, nil)
	file := filepath.Join(t.TempDir(), "dead_letters.jsonl")
	p := newPipeline(t, far, withDeadLetters(file, `message_id: '${! json("event.id") }'`))
	require.NoError(t, p.send(t.Context(), batchOf(`{"event":{"id":"a"}}`, `{}`, `{"event":{"id":"c"}}`)))
	p.stop()
	lines := deadLetters(t, file)
	require.Len(t, lines, 1)
	assert.Contains(t, read(t, lines[0]).Error, "message_id: came out as null")
	assert.Len(t, far.bodies(), 2)
}

// The changes of one record leave one after another, whatever the others do and however often one is tried again.
func TestTheOrderOfEachRecordHolds(t *testing.T) {
	const records, changes = 10, 10
	var tries atomic.Int64
	var mu sync.Mutex
	taken := map[string][]string{}
	far := newReceiver(t, func(w http.ResponseWriter, body string) {
		if tries.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		record, change, _ := strings.Cut(body, "/")
		mu.Lock()
		defer mu.Unlock()
		taken[record] = append(taken[record], change)
	})
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none }, max_in_flight: 4, retry: { max_attempts: 100, initial_interval: 1ms, max_interval: 1ms } }")
	var batch service.MessageBatch
	var want []string
	for change := range changes {
		want = append(want, fmt.Sprint(change))
		for record := range records {
			m := service.NewMessage(fmt.Appendf(nil, "%d/%d", record, change))
			m.MetaSetMut("pipedrive_object", "deal")
			m.MetaSetMut("pipedrive_id", fmt.Sprint(record))
			batch = append(batch, m)
		}
	}
	require.NoError(t, p.send(t.Context(), batch))
	p.stop()
	assert.Len(t, taken, records)
	for record, order := range taken {
		assert.Equal(t, want, order, record)
	}
	assert.LessOrEqual(t, far.most, 4)
}

func TestOneInFlightIsStrictlyInOrder(t *testing.T) {
	batch, _, _ := fifty()
	var tries atomic.Int64
	var mu sync.Mutex
	var taken []string
	far := newReceiver(t, func(w http.ResponseWriter, body string) {
		if tries.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		taken = append(taken, body)
	})
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none }, max_in_flight: 1, "+quick+" }")
	for i, m := range batch {
		m.MetaSetMut("pipedrive_id", fmt.Sprint(i))
	}
	require.NoError(t, p.send(t.Context(), batch))
	p.stop()
	require.Len(t, taken, 50)
	for i, body := range taken {
		assert.JSONEq(t, fmt.Sprintf(`{"n":%d}`, i), body)
	}
	assert.Equal(t, 1, far.most)
}

// records are messages of as many records.
func records(n int) service.MessageBatch {
	batch := make(service.MessageBatch, n)
	for i := range batch {
		batch[i] = service.NewMessage(fmt.Append(nil, i))
		batch[i].MetaSetMut("pipedrive_id", fmt.Sprint(i))
	}
	return batch
}

// max_in_flight counts requests, whichever batches they came in: all of it is used, and no more.
func TestMaxInFlightBoundsRequestsOverAllBatches(t *testing.T) {
	var came atomic.Int64
	full := make(chan struct{})
	far := newReceiver(t, func(http.ResponseWriter, string) {
		if came.Add(1) == 4 {
			close(full)
		}
		<-full
	})
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none }, max_in_flight: 4 }")
	var sending sync.WaitGroup
	for range 3 {
		sending.Go(func() { assert.NoError(t, p.send(t.Context(), records(20))) })
	}
	sending.Wait()
	p.stop()
	assert.Len(t, far.bodies(), 60)
	assert.Equal(t, 4, far.most)
}

// One message that the receiver chokes on holds back no other record.
func TestAMessageThatWaitsHoldsBackNoOtherRecord(t *testing.T) {
	far := newReceiver(t, func(w http.ResponseWriter, body string) {
		if body == "0" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none }, retry: { initial_interval: 1h } }")
	sent := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { sent <- p.send(ctx, records(50)) }()
	require.Eventually(t, func() bool { return len(far.bodies()) == 50 }, 10*time.Second, time.Millisecond)
	_ = p.stream.StopWithin(time.Second)
	<-p.ended
	cancel()
	require.Error(t, <-sent, "nothing is acknowledged")
}

// Waiting for a retry ends promptly at a stop: with no answer to the input, nothing in the dead letters, no error in the
// log, and no goroutine left.
func TestAStopEndsWaitingAndMakesNoDeadLetter(t *testing.T) {
	far := newReceiver(t, func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusServiceUnavailable) })
	file := filepath.Join(t.TempDir(), "dead_letters.jsonl")
	before := runtime.NumGoroutine()
	p := newPipeline(t, far, withDeadLetters(file, "max_in_flight: 4"))
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- p.send(ctx, records(20)) }()
	require.Eventually(t, func() bool { return len(far.bodies()) == 4 }, 10*time.Second, time.Millisecond)
	began := time.Now()
	_ = p.stream.StopWithin(2 * time.Second)
	<-p.ended
	assert.Less(t, time.Since(began), 4*time.Second, "less than the first wait")
	cancel()
	require.ErrorIs(t, <-sent, context.Canceled, "the input has no verdict")
	assert.Empty(t, deadLetters(t, file))
	assert.Len(t, far.bodies(), 4)
	assert.NotContains(t, p.log.String(), "level=ERROR")
	far.Close()
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 10*time.Second, 10*time.Millisecond)
}

// A receiver that hangs does not hold a stop up either.
func TestAStopEndsARequestUnderWay(t *testing.T) {
	hang := make(chan struct{})
	far := newReceiver(t, func(http.ResponseWriter, string) { <-hang })
	defer close(hang)
	file := filepath.Join(t.TempDir(), "dead_letters.jsonl")
	p := newPipeline(t, far, withDeadLetters(file, "timeout: 1h"))
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- p.send(ctx, records(1)) }()
	require.Eventually(t, func() bool { return len(far.bodies()) == 1 }, 10*time.Second, time.Millisecond)
	_ = p.stream.StopWithin(time.Second)
	<-p.ended
	cancel()
	require.Error(t, <-sent)
	assert.Empty(t, deadLetters(t, file))
}

func TestNoSecretIsLogged(t *testing.T) {
	var n atomic.Int64
	far := newReceiver(t, func(w http.ResponseWriter, _ string) {
		switch n.Add(1) {
		case 1, 2, 3, 4: // four, so that waiting is a warning
			w.WriteHeader(http.StatusBadGateway)
		case 5:
			w.Header().Set("Location", "https://elsewhere.example/?token=s3cret-query")
			w.WriteHeader(http.StatusFound)
			return
		default:
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = fmt.Fprint(w, "you sent s3cret-query, s3cret-password, s3cret-header, aG9vazpzM2NyZXQtcGFzc3dvcmQ=")
	})
	p := newPipeline(t, far, `
pipedrive_callback:
  url: %URL/events?token=s3cret-query
  signature: { scheme: standard_webhooks, keys: [ s3cret-key ] }
  headers: { X-Token: s3cret-header }
  basic_auth: { enabled: true, username: hook, password: s3cret-password }
  retry: { max_attempts: 5, initial_interval: 1ms, max_interval: 1ms }
`)
	require.ErrorContains(t, p.send(t.Context(), batchOf("a")), "302 Found: redirects are not followed")
	require.ErrorContains(t, p.send(t.Context(), batchOf("b")), "403 Forbidden: you sent ***, ***, ***, ***")
	far.Close()
	require.ErrorContains(t, p.send(t.Context(), batchOf("c")), "connection refused")
	metrics := p.metrics()
	p.stop()
	log := p.log.String()
	assert.Equal(t, 1, strings.Count(log, "level=WARN msg=\"The receiver takes no callbacks"), "one line, however many tries and messages")
	assert.Contains(t, log, "The newest was try 3, the next is in 1ms")
	assert.Contains(t, log, "level=DEBUG msg=\"Try 2 failed")
	assert.Contains(t, log, "Attempting to write", "it is at the level of traces")
	for _, secret := range []string{"s3cret", "aG9vazpzM2NyZXQtcGFzc3dvcmQ="} {
		assert.NotContains(t, log, secret)
		assert.NotContains(t, metrics, secret)
	}
}

func TestEveryAttemptIsCountedByItsResult(t *testing.T) {
	codes := []int{200, 429, 503, 425, 200, 404}
	var n atomic.Int64
	far := newReceiver(t, func(w http.ResponseWriter, _ string) { w.WriteHeader(codes[n.Add(1)-1]) })
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none }, retry: { max_attempts: 5, initial_interval: 1ms, max_interval: 1ms } }")
	require.NoError(t, p.send(t.Context(), batchOf("a")))
	require.NoError(t, p.send(t.Context(), batchOf("b")))
	require.Error(t, p.send(t.Context(), batchOf("c")))
	metrics := p.metrics()
	for result, count := range map[string]int{"done": 2, "limited": 1, "unavailable": 2, "refused": 1} {
		assert.Regexp(t, fmt.Sprintf(`pipedrive_callback_attempts_total\{[^}]*result=\\"%s\\"[^}]*\}":%d[,}]`, result, count), metrics)
	}
	assert.Contains(t, metrics, "pipedrive_callback_latency_ns")
	p.stop()
}

func TestOutsideAFallbackAWarningSaysSo(t *testing.T) {
	const warning = "replayed for ever"
	far := newReceiver(t, nil)
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none } }")
	require.NoError(t, p.send(t.Context(), batchOf("a")))
	p.stop()
	assert.Contains(t, p.log.String(), warning)

	p = newPipeline(t, far, withDeadLetters(filepath.Join(t.TempDir(), "dead_letters.jsonl"), quick))
	require.NoError(t, p.send(t.Context(), batchOf("a")))
	p.stop()
	assert.NotContains(t, p.log.String(), warning)
}

func TestStandardWebhooksEndToEnd(t *testing.T) {
	receivers := make([]*standardwebhooks.Webhook, 2)
	for i, key := range []string{"the new key", "the old key"} {
		var err error
		receivers[i], err = standardwebhooks.NewWebhookRaw([]byte(key))
		require.NoError(t, err)
	}
	verified := make(chan error, 2)
	far := newReceiver(t, nil)
	inner := far.Config.Handler
	far.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		for _, known := range receivers {
			verified <- known.Verify(body, r.Header)
		}
		inner.ServeHTTP(w, r)
	})
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: standard_webhooks, keys: [ the new key, the old key ] } }")
	require.NoError(t, p.send(t.Context(), batchOf(`{"id":"pd1_1"}`)))
	require.NoError(t, <-verified)
	require.NoError(t, <-verified)
	p.stop()
}

// Several events can be made one message; its refusal is that of all of them.
func TestBatchingMakesSeveralEventsOneMessage(t *testing.T) {
	far := newReceiver(t, func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusBadRequest) })
	file := filepath.Join(t.TempDir(), "dead_letters.jsonl")
	p := newPipeline(t, far, withDeadLetters(file, "batching: { count: 3, processors: [ { archive: { format: json_array } } ] }"))
	require.NoError(t, p.send(t.Context(), batchOf(`{"n":1}`, `{"n":2}`, `{"n":3}`)))
	p.stop()
	assert.Equal(t, []string{`[{"n":1},{"n":2},{"n":3}]`}, far.bodies())
	assert.Len(t, deadLetters(t, file), 3)
}
