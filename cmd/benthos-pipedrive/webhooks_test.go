package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

const (
	doorURL    = "https://hooks.example.com/events/pipedrive"
	hookSecret = "5ec4e7-of-the-hook"
)

// webhooks runs the command against an account. What it prints never holds the credential.
func webhooks(t *testing.T, sim *simulator.Simulator, command string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	flags := append([]string{name, "webhooks", command, "--base-url", sim.URL(), "--api-token", sim.Token()}, args...)
	err := appOf(webhooksCommand(), &out, io.Discard).RunContext(t.Context(), flags)
	said := out.String()
	if err != nil {
		said += err.Error()
		assert.NotContains(t, err.Error(), "\n", "one clear line")
	}
	for _, secret := range []string{sim.Token(), hookSecret} {
		assert.NotContains(t, said, secret)
	}
	return out.String(), err
}

// columns are the lines of a table, with one blank between two cells.
func columns(table string) (lines []string) {
	for line := range strings.Lines(table) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestWebhooksAreListedForPeople(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	said, err := webhooks(t, sim, "list")
	require.NoError(t, err)
	assert.Equal(t, "0 webhooks, of at most 40 a user\n", said)

	sim.Subscribe(simulator.Webhook{URL: doorURL, Name: name, Action: "change", Object: "deal", Username: "hook", Password: hookSecret})
	sim.Ban(sim.Subscribe(simulator.Webhook{URL: "https://old.example.com/x", Name: name}))
	sim.Subscribe(simulator.Webhook{URL: "https://u:5ec4e7@n8n.example.com/x", Name: "evil\x1b[2J", Version: "1.0"})
	said, err = webhooks(t, sim, "list", "--url", doorURL)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"ID EVENT VERSION STATE LAST STATUS LAST DELIVERY NAME URL WHOSE",
		"1900001 change.deal 2.0 active - - benthos-pipedrive https://hooks.example.com/events/pipedrive ours",
		"1900002 *.* 2.0 banned - - benthos-pipedrive https://old.example.com/x old",
		"1900003 *.* 1.0 active - - evil?[2J https://u:xxxxx@n8n.example.com/x other",
		"3 webhooks, of at most 40 a user",
	}, columns(said))

	said, err = webhooks(t, sim, "list")
	require.NoError(t, err)
	for line, whose := range map[int]string{1: " named", 2: " named", 3: " other"} {
		assert.True(t, strings.HasSuffix(columns(said)[line], whose), "without a URL nobody knows which is old: %s", said)
	}
}

func TestWebhooksAreListedForMachines(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	sim.Subscribe(simulator.Webhook{URL: doorURL, Name: name, Username: "hook", Password: hookSecret})
	sim.SetWebhook(1_900_001, func(w *simulator.Webhook) { w.LastDelivery, w.LastStatus = w.Added, 200 })
	said, err := webhooks(t, sim, "list", "--json", "--url", doorURL)
	require.NoError(t, err)
	var got struct {
		Webhooks []map[string]any `json:"webhooks"`
		Total    int              `json:"total"`
		Limit    int              `json:"limit"`
	}
	require.NoError(t, json.Unmarshal([]byte(said), &got))
	require.Len(t, got.Webhooks, 1)
	assert.NotEmpty(t, got.Webhooks[0]["added"])
	assert.Equal(t, got.Webhooks[0]["added"], got.Webhooks[0]["last_delivery"])
	delete(got.Webhooks[0], "added")
	delete(got.Webhooks[0], "last_delivery")
	assert.Equal(t, map[string]any{
		"id": "1900001", "name": name, "url": doorURL, "event": "*.*", "version": "2.0", "type": "general",
		"owner_id": "1", "user_id": "1", "active": true, "last_status": 200.0, "whose": "ours",
	}, got.Webhooks[0])
	assert.Equal(t, []int{1, 40}, []int{got.Total, got.Limit})
}

func TestWebhooksAreSynced(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	ours := []string{"--url", doorURL, "--event", "change.deal", "--event", "create.lead", "--user-id", "2", "--username", "hook", "--password", hookSecret}
	said, err := webhooks(t, sim, "sync", append(ours, "--dry-run")...)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"REPAIR REASON EVENT ID INSTEAD OF",
		"created missing change.deal - -",
		"created missing create.lead - -",
		"would be 2 changes; 0 webhooks, of at most 40 a user",
	}, columns(said))
	assert.Empty(t, sim.Webhooks())

	said, err = webhooks(t, sim, "sync", ours...)
	require.NoError(t, err)
	assert.Equal(t, "2 changes; 2 webhooks, of at most 40 a user", columns(said)[3])
	made := sim.Webhooks()
	require.Len(t, made, 2)
	assert.Equal(t, []any{doorURL, name, "change", "deal", "2.0", int64(2), "hook", hookSecret},
		[]any{made[0].URL, made[0].Name, made[0].Action, made[0].Object, made[0].Version, made[0].UserID, made[0].Username, made[0].Password})

	said, err = webhooks(t, sim, "sync", ours...)
	require.NoError(t, err)
	assert.Equal(t, "nothing to do; 2 webhooks, of at most 40 a user\n", said)

	sim.Ban(1_900_001)
	said, err = webhooks(t, sim, "sync", append(ours, "--json", "--dry-run")...)
	require.NoError(t, err)
	assert.JSONEq(t, `{"dry_run":true,"total":2,"changes":[
		{"repair":"recreated","reason":"inactive","event":"change.deal","id":"","instead":["1900001"]}]}`, said)
	said, err = webhooks(t, sim, "sync", "--json", "--url", doorURL, "--version", "1.0", "--event", "merged.person")
	require.NoError(t, err)
	assert.JSONEq(t, `{"dry_run":false,"total":1,"changes":[
		{"repair":"created","reason":"missing","event":"merged.person","id":"1900003","instead":[]},
		{"repair":"removed","reason":"unwanted","event":"change.deal","id":"1900001","instead":[]},
		{"repair":"removed","reason":"unwanted","event":"create.lead","id":"1900002","instead":[]}]}`, said)
}

func TestASyncThatFailsMidwayTellsWhatItDid(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	said, err := webhooks(t, sim, "sync", "--url", doorURL, "--event", "change.deal", "--event", "change.unicorn")
	assert.Equal(t, "created missing change.deal 1900001 -", columns(said)[1])
	assert.ErrorContains(t, err, "registering change.unicorn: ")
}

func TestWebhooksAreRemoved(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	left := func() (ids []int64) {
		for _, w := range sim.Webhooks() {
			if w.Removed.IsZero() {
				ids = append(ids, w.ID-1_900_000)
			}
		}
		return ids
	}
	for range 2 {
		sim.Subscribe(simulator.Webhook{URL: doorURL, Name: name, Action: "change"})
		sim.Subscribe(simulator.Webhook{URL: "https://other.example.com", Name: name})
	}
	for _, test := range []struct {
		args        []string
		last        string // line
		left        []int64
		errContains string
	}{
		{[]string{"--dry-run", "1900002"}, "would be 1 change; 4 webhooks, of at most 40 a user", []int64{1, 2, 3, 4}, ""},
		{[]string{"1900002", "7"}, "", []int64{1, 2, 3, 4}, "there is no webhook 7, nothing is removed"},
		{[]string{"1900002", "--dry-run"}, "", []int64{1, 2, 3, 4}, `"--dry-run" is no id of a webhook; flags come before the ids`},
		{[]string{"--url", doorURL, "1900002"}, "", []int64{1, 2, 3, 4}, "--url: says which are ours"},
		{nil, "", []int64{1, 2, 3, 4}, "which webhooks to remove? Name their ids, or with --url"},
		{[]string{"1900002", "1900002"}, "1 change; 3 webhooks, of at most 40 a user", []int64{1, 3, 4}, ""},
		{[]string{"--dry-run", "--url", doorURL}, "would be 2 changes; 3 webhooks, of at most 40 a user", []int64{1, 3, 4}, ""},
		{[]string{"--url", doorURL, "--name", "else"}, "nothing to do; 3 webhooks, of at most 40 a user", []int64{1, 3, 4}, ""},
		{[]string{"--url", doorURL}, "2 changes; 1 webhook, of at most 40 a user", []int64{4}, ""},
	} {
		said, err := webhooks(t, sim, "remove", test.args...)
		if test.errContains != "" {
			assert.ErrorContains(t, err, test.errContains)
			assert.Empty(t, said)
		} else if assert.NoError(t, err, test.args) {
			lines := columns(said)
			assert.Equal(t, test.last, lines[len(lines)-1])
		}
		assert.Equal(t, test.left, left(), test.args)
	}
}

func TestWebhooksNameTheFlagThatIsWrong(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	for _, test := range []struct {
		errContains string
		args        []string
	}{
		{"--api-token: is empty, it or PIPEDRIVE_API_TOKEN must be set", []string{"list", "--api-token", ""}},
		{"--api-token: has a blank", []string{"list", "--api-token", "a b"}},
		{"--base-url: is not a URL", []string{"list", "--base-url", "pipedrive"}},
		{`webhooks list takes flags only, not "x"`, []string{"list", "x"}},
		{"--url: is not a URL", []string{"sync"}},
		{`--event: "deal" came`, []string{"sync", "--url", doorURL, "--event", "deal"}},
		{`--version: "3" came`, []string{"sync", "--url", doorURL, "--version", "3"}},
		{`--user-id: "me" came`, []string{"sync", "--url", doorURL, "--user-id", "me"}},
		{`--name: "" came`, []string{"sync", "--url", doorURL, "--name", ""}},
		{"--username, --password: one of them is empty", []string{"sync", "--url", doorURL, "--username", "hook"}},
	} {
		_, err := webhooks(t, sim, test.args[0], test.args[1:]...)
		assert.ErrorContains(t, err, test.errContains)
	}
	assert.Empty(t, sim.Requests(), "nothing is asked before the flags are right")

	_, err := webhooks(t, sim, "list", "--api-token", "wrong")
	assert.ErrorContains(t, err, "listing webhooks: GET /v1/webhooks: 401 Unauthorized")
}

func TestWebhooksTakeSecretsFromTheEnvironmentAndHelpDoesNotShowThem(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	t.Setenv("PIPEDRIVE_API_TOKEN", sim.Token())
	t.Setenv("PIPEDRIVE_BASE_URL", sim.URL())
	t.Setenv("HOOK_PASSWORD", hookSecret)
	var out bytes.Buffer
	app := &cli.App{Name: name, Commands: []*cli.Command{webhooksCommand()}, Writer: &out}
	require.NoError(t, app.Run([]string{name, "webhooks", "sync", "--url", doorURL, "--username", "hook"}))
	require.Len(t, sim.Webhooks(), 1)
	assert.Equal(t, hookSecret, sim.Webhooks()[0].Password)
	assert.Equal(t, "*", sim.Webhooks()[0].Object, "all events are the default")
	for _, args := range [][]string{{"--help"}, {"sync", "--help"}, {"list", "--help"}, {"remove", "--help"}} {
		require.NoError(t, app.Run(append([]string{name, "webhooks"}, args...)))
	}
	assert.Contains(t, out.String(), "[$HOOK_PASSWORD]")
	assert.NotContains(t, out.String(), sim.Token())
	assert.NotContains(t, out.String(), hookSecret)
}
