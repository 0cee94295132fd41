package tests

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/tidwall/gjson"
)

// elementsApp is somebody's application that was written for Cloud Elements: it verifies the signature over the very
// bytes that came, and reads message.events. Each of its paths takes the events of one instance.
type elementsApp struct {
	*httptest.Server
	t     *testing.T
	mu    sync.Mutex
	boxes map[string]*inbox // by path
}

// inbox is what came at one path. Its fields are guarded by the app's lock.
type inbox struct {
	app     *elementsApp
	url     string
	key     string // it verifies with; empty: there is no signature
	refuses int    // with this status; 0: it takes what comes
	refused int    // requests that it answered so
	taken   []string
}

func newElementsApp(t *testing.T) *elementsApp {
	t.Helper()
	a := &elementsApp{t: t, boxes: map[string]*inbox{}}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

// inbox makes one for the events of an instance.
func (a *elementsApp) inbox(path, key string) *inbox {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := &inbox{app: a, url: a.URL + path, key: key}
	a.boxes[path] = b
	return b
}

func (a *elementsApp) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.boxes[r.URL.Path]
	if !assert.NotNil(a.t, b, "nobody is at %s", r.URL.Path) {
		return
	}
	if r.Method == http.MethodHead { // check looks whether somebody is there
		assert.Empty(a.t, body)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	signature := ""
	if b.key != "" {
		mac := hmac.New(sha256.New, []byte(b.key))
		mac.Write(body)
		signature = "sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		assert.NotEmpty(a.t, r.Header.Get("Elements-Webhook-Id"))
	}
	assert.Equal(a.t, signature, r.Header.Get("Elements-Webhook-Signature"))
	assert.Equal(a.t, "application/json", r.Header.Get("Content-Type"))
	if b.refuses != 0 {
		b.refused++
		w.WriteHeader(b.refuses)
		return
	}
	b.taken = append(b.taken, string(body))
}

// goDown has it answer 503 to everything from now on.
func (b *inbox) goDown() { b.refuse(http.StatusServiceUnavailable) }

func (b *inbox) refuse(status int) {
	b.app.mu.Lock()
	defer b.app.mu.Unlock()
	b.refuses, b.refused = status, 0
}

func (b *inbox) comeBack() {
	b.app.mu.Lock()
	defer b.app.mu.Unlock()
	b.refuses = 0
}

// refusals counts what it refused since it began to.
func (b *inbox) refusals() int {
	b.app.mu.Lock()
	defer b.app.mu.Unlock()
	return b.refused
}

// messages are what it took, in the order in which it came.
func (b *inbox) messages() []gjson.Result {
	b.app.mu.Lock()
	defer b.app.mu.Unlock()
	all := make([]gjson.Result, len(b.taken))
	for i, body := range b.taken {
		all[i] = gjson.Parse(body)
	}
	return all
}

// elementsEvent is one of message.events and the body that rides along with it.
type elementsEvent struct {
	object, id, kind string // objectType, objectId, eventType
	body             gjson.Result
}

// events are all that came, one after another.
func (b *inbox) events() (all []elementsEvent) {
	for _, m := range b.messages() {
		bodies := m.Get("message.raw.objects").Array()
		if len(bodies) == 0 {
			bodies = []gjson.Result{m.Get("message.raw.object")}
		}
		for i, e := range m.Get("message.events").Array() {
			all = append(all, elementsEvent{e.Get("objectType").Str, e.Get("objectId").Str, e.Get("eventType").Str, bodies[i]})
		}
	}
	return all
}
