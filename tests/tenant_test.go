package tests

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// tenant is a company of Pipedrive that had an instance in Cloud Elements, and the inbox of its app.
type tenant struct {
	id      string // of the instance
	token   string
	company *simulator.Simulator
	app     *inbox
}

// tenantAccount is what each has at the beginning.
var tenantAccount = simulator.Options{Deals: 20, Persons: 10, Organizations: 5, DailyBudget: plenty, Burst: plenty}

const tenantRecords = 20 + 10 + 5

// tenants makes n companies behind one address: the first half is polled, the others are pushed.
func tenants(t *testing.T, n int) (polled, pushed []tenant) {
	t.Helper()
	first := simulator.RunT(t, tenantAccount)
	app := newElementsApp(t)
	for i := range n {
		company := first
		if i > 0 {
			account := tenantAccount
			account.Seed = uint64(i)
			company = first.AddCompany(account)
			t.Cleanup(func() { _ = company.Close() })
		}
		id := strconv.Itoa(30001 + i)
		of := tenant{id, company.Token(), company, app.inbox("/"+id, "key # of "+id)}
		if i < n/2 {
			polled = append(polled, of)
		} else {
			pushed = append(pushed, of)
		}
	}
	return polled, pushed
}

// instance is the JSON of the tenant's instance in Cloud Elements.
func (of tenant) instance(kind string) string {
	return fmt.Sprintf(`{
		"id": %s, "element": { "key": "pipedrive" },
		"configuration": {
			"event.notification.enabled": "true", "event.vendor.type": %q,
			"event.notification.callback.url": %q, "event.notification.signature.key": "not copied",
			"event.poller.refresh_interval": "0.05",
			"event.poller.configuration": { "accounts": {}, "contacts": {}, "opportunities": {} }
		}
	}`, of.id, kind, of.app.url)
}

func (of tenant) password() string { return "password # of " + of.id }

// variables are those that the stream of the tenant reads.
func (of tenant) variables() []string {
	return []string{
		"PIPEDRIVE_API_TOKEN_" + of.id + "=" + of.token, "SIGNING_KEY_" + of.id + "=" + of.app.key,
		"HOOK_USERNAME_" + of.id + "=hook", "HOOK_PASSWORD_" + of.id + "=" + of.password(),
	}
}

func (of tenant) hookURL(door string) string {
	return "http://" + door + webhook.InstancePath("/events/pipedrive", of.id)
}

// knock asks for admission with something that is no webhook, and returns the status of the answer: 415 once inside.
func (of tenant) knock(t *testing.T, door, password string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, of.hookURL(door), strings.NewReader("knock"))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "text/plain")
	r.SetBasicAuth("hook", password)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// subscribe makes the webhook that Pipedrive sent to Cloud Elements.
func (of tenant) subscribe(door string) {
	of.company.Subscribe(simulator.Webhook{URL: of.hookURL(door), Version: "1.0", Username: "hook", Password: of.password()})
}

// change gives a deal of the company another title.
func (of tenant) change(deal int, title string) {
	of.company.Update("deals", of.company.IDs("deals")[deal], simulator.Fields{"title": title})
}

// titles are those of the deals that came, from a poll or from webhooks of version 1.0.
func (of tenant) titles() (all []string) {
	for _, e := range of.app.events() {
		all = append(all, e.body.Get("title").Str+e.body.Get("current.title").Str)
	}
	return all
}

// requireTheirs holds what was polled to the records of the company as they are, and to nobody else's.
func (of tenant) requireTheirs(t *testing.T) {
	t.Helper()
	lists := map[string]map[string][]byte{}
	for hub, list := range map[string]string{"opportunities": "deals", "contacts": "persons", "accounts": "organizations"} {
		lists[hub] = of.company.State(list)
	}
	for _, m := range of.app.messages() {
		require.Equal(t, of.id, m.Get("message.instanceId").Raw)
	}
	for _, e := range of.app.events() {
		require.Equal(t, canonical(t, string(lists[e.object][e.id])), canonical(t, e.body.Raw), "%s: %s %s", of.id, e.object, e.id)
	}
}
