package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Jeffail/gabs/v2"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// mail carries webhooks, remembers those that were accepted, and loses the answer now and then, so that they come again.
type mail struct {
	via http.RoundTripper

	mu       sync.Mutex // guards what follows
	accepted [][]byte
	lost     int
	late     string // webhooks of records with this in their title or name have to be sent again; empty: none
}

var (
	errAnswerLost = errors.New("the answer was lost")
	errLate       = errors.New("the webhook did not arrive")
)

// holdBack keeps webhooks of records with a text in their title or name from arriving; empty: none.
func (m *mail) holdBack(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.late = text
}

func (m *mail) holds(body []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	data := gjson.GetBytes(body, "data")
	return m.late != "" && strings.Contains(data.Get("title").Str+data.Get("name").Str, m.late)
}

// mostLost answers may be lost before Pipedrive bans the webhook.
const mostLost = 8

func (m *mail) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if m.holds(body) {
		return nil, errLate
	}
	copied := r.Clone(r.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	res, err := m.via.RoundTrip(copied)
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accepted = append(m.accepted, body)
	if m.lost < mostLost && len(m.accepted)%23 == 11 {
		m.lost++
		_ = res.Body.Close()
		return nil, errAnswerLost
	}
	return res, nil
}

// told are the ids of the events that webhooks told and the recipe accepted.
func (m *mail) told(t *testing.T) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for _, body := range m.bodies() {
		if e, err := pushedEvent(t, body); err == nil {
			ids[e.ID] = true
		}
	}
	return ids
}

// unreadable are the bodies of the accepted webhooks that are no event.
func (m *mail) unreadable(t *testing.T) map[string]bool {
	t.Helper()
	bodies := map[string]bool{}
	for _, body := range m.bodies() {
		if _, err := pushedEvent(t, body); err != nil {
			bodies[string(body)] = true
		}
	}
	return bodies
}

func (m *mail) bodies() [][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.accepted)
}

func pushedEvent(t *testing.T, body []byte) (*event.Event, error) {
	t.Helper()
	f, err := webhook.Parse(body)
	require.NoError(t, err)
	return event.Read(parsed(t, body), event.About{Schema: f.Schema, Object: f.Object, ObjectID: f.ID, Action: f.Action, CompanyID: f.Company}, event.Options{})
}

func polledEvent(t *testing.T, list string, record []byte) *event.Event {
	t.Helper()
	o, listed := entity.Lookup(list)
	require.True(t, listed)
	e, err := event.Read(parsed(t, record), event.About{Schema: string(o.Schema), Object: o.Kind, CompanyID: "10400001"}, event.Options{})
	require.NoError(t, err)
	return e
}

func parsed(t *testing.T, body []byte) *gabs.Container {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	c, err := gabs.ParseJSONDecoder(d)
	require.NoError(t, err)
	return c
}
