package processor

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// journal is a log that may be read while it is written to.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// resolving is a processor that asks the simulator for names.
func resolving(t *testing.T, sim *simulator.Simulator) (*normalize, *journal) {
	t.Helper()
	conf, err := normalizeSpec().ParseYAML("resolve: {enabled: true, api_token: "+sim.Token()+", base_url: "+sim.URL()+"}", nil)
	require.NoError(t, err)
	log := &journal{}
	n, err := newNormalize(conf, service.MockResources(service.MockResourcesOptUseLogger(service.NewLoggerFromSlog(slog.New(slog.NewTextHandler(log, nil))))))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close(t.Context())) })
	return n, log
}

// deal is a record of the simulator in a schema, as an input of ours brings it.
func deal(sim *simulator.Simulator, id, schema, company string) *service.Message {
	metadata := map[string]string{
		spec.MetaSchema: schema, spec.MetaObject: "deal", spec.MetaID: id, spec.MetaAction: "updated", spec.MetaCompanyID: company,
	}
	return message(string(sim.Written("deals", id, schema)), metadata)
}

const company = "10400001"

func lists(sim *simulator.Simulator) (n int) {
	for _, r := range sim.Requests() {
		if strings.Contains(r.Path, "Fields") {
			n++
		}
	}
	return n
}

func TestCustomFieldsAreToldByName(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 30})
	n, _ := resolving(t, sim)
	named := false
	for _, id := range sim.IDs("deals") {
		contents, out := run(t, n, deal(sim, id, "rest_v2", company), deal(sim, id, "rest_v1", company), deal(sim, id, "webhook_v1", company), deal(sim, id, "webhook_v2", company))
		want := gjson.Get(contents[0], "named")
		require.True(t, want.IsObject(), contents[0])
		named = named || len(want.Map()) > 0
		for i := range contents {
			got := gjson.Get(contents[i], "named")
			for name, value := range want.Map() {
				if !value.IsObject() { // schemas differ in the members of objects
					require.JSONEq(t, value.Raw, got.Get(gjson.Escape(name)).Raw, "%s of deal %s", name, id)
				}
			}
			require.Len(t, got.Map(), len(want.Map()))
			_, said := out[i].MetaGet(spec.MetaResolved)
			require.False(t, said)
		}
	}
	assert.True(t, named, "no deal had a custom field")
	assert.Equal(t, 1, lists(sim), "the list is read once")
}

// The names of one company say nothing about another.
func TestAnotherCompanysTokenResolvesNothing(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 5})
	n, log := resolving(t, sim)
	for range 3 {
		contents, out := run(t, n, deal(sim, "1", "rest_v2", "999"))
		assert.Equal(t, "null", gjson.Get(contents[0], "named").Raw)
		resolved, _ := out[0].MetaGet(spec.MetaResolved)
		assert.Equal(t, "false", resolved)
		assert.NoError(t, out[0].GetError())
	}
	assert.Zero(t, lists(sim))
	assert.Equal(t, 1, strings.Count(log.String(), "WARN"), log.String())
	assert.Contains(t, log.String(), "company 999")
	assert.NotContains(t, log.String(), sim.Token())
}

func TestWithoutTheAPIEventsGoThroughWithoutNames(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 5})
	want, _ := run(t, newProcessor(t, ""), deal(sim, "1", "rest_v2", company))
	sim.FailAlways(simulator.Status(503))
	n, log := resolving(t, sim)
	for range 3 {
		contents, out := run(t, n, deal(sim, "1", "rest_v2", company))
		assert.Equal(t, "null", gjson.Get(contents[0], "named").Raw)
		resolved, _ := out[0].MetaGet(spec.MetaResolved)
		assert.Equal(t, "false", resolved)
		assert.NoError(t, out[0].GetError())
		assert.Equal(t, gjson.Get(want[0], "id").Str, gjson.Get(contents[0], "id").Str)
		assert.JSONEq(t, gjson.Get(want[0], "data").Raw, gjson.Get(contents[0], "data").Raw)
	}
	assert.Equal(t, 1, strings.Count(log.String(), "WARN"), log.String())
	assert.NotContains(t, log.String(), sim.Token())
}

func TestResolveNeedsACredential(t *testing.T) {
	_, err := tryProcessor(t, "resolve: {enabled: true}")
	assert.ErrorContains(t, err, "resolve: ")
	assert.ErrorContains(t, err, "api_token")
	_, err = tryProcessor(t, "resolve: {enabled: true, api_token: x, refresh_interval: 0s}")
	assert.ErrorContains(t, err, "resolve: refresh_interval: 0s is not above zero")
}
