package input

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// open makes the input as the host does; ParseYAML does not lint.
func open(t *testing.T, yaml string, opts ...service.MockResourcesOptFn) (*pollInput, error) {
	t.Helper()
	conf, err := pollSpec().ParseYAML(yaml, nil)
	if err != nil {
		return nil, err
	}
	in, err := newPollInput(conf, service.MockResources(opts...))
	if err == nil {
		t.Cleanup(func() { assert.NoError(t, in.Close(t.Context())) })
	}
	return in, err
}

// Mistakes that the configuration alone shows stop the program, in one line that names the field, what came and
// what is allowed. The constructor checks what lint checks, because lint can be skipped.
func TestBadConfigurationIsRefusedInWords(t *testing.T) {
	const token = "api_token: abc\n"
	for _, test := range []struct{ name, yaml, errContains string }{
		{"an unknown object", token + "objects: [ deals, dogs ]", `objects: "dogs" is unknown, allowed are deals (opportunities), deals_archived`},
		{"an object twice", token + "objects: [ deals, opportunities ]", `objects: "deals" is named twice`},
		{"no object", token + "objects: []", "objects: names nothing to read"},
		{"no credential", "", "api_token, oauth2: neither is set"},
		{"both credentials", token + "oauth2: { client_id: a, client_secret: b, refresh_token: c }", "api_token, oauth2: both are set"},
		{"half an app", "oauth2: { client_id: a }", "oauth2"},
		{"an odd start", token + "start_from: yesterday", `start_from: "yesterday" is neither "beginning", "now" nor an RFC 3339 time`},
		{"no interval", token + "interval: 0s", "interval: 0s is not above zero"},
		{"an unreadable interval", token + "interval: often", `"often"; want a number with its unit, like 30s`},
		{"an interval without a unit", token + "interval: 60", `missing unit in duration "60"; want a number with its unit, like 30s`},
		{"no overlap", token + "overlap: -1s", "overlap: -1s is not above zero"},
		{"a page too large", token + "page_size: 501", "page_size: 501 is not between 2 and 500"},
		{"a negative tolerance", token + "created_tolerance: -1s", "created_tolerance: -1s is below zero"},
		{"a share too large", token + "daily_token_share: 1.5", "daily_token_share"},
		{"no pages in flight", token + "checkpoint_limit: 0", "checkpoint_limit: 0 is not at least 1"},
		{"no key", token + `checkpoint_cache_key: ""`, "checkpoint_cache_key: must not be empty"},
		{"an odd URL", token + `base_url: "::"`, "base_url"},
		{"an odd proxy", token + `proxy_url: "http://user:hunter2@"`, "proxy_url: not a URL with a host"},
		{"a proxy that is none", token + `proxy_url: "ftp://user:hunter2@proxy"`, "proxy_url: not a URL with a host"},
		{"a custom object of another host", token + "custom_objects: [ { name: x, path: 'https://evil.example/' } ]", `custom_objects[0].path: "https://evil.example/" is not a path`},
		{"a custom object with an odd page", token + "custom_objects: [ { name: x, path: /v1/x, page_size: 1 } ]", "custom_objects[0].page_size: 1 is not between 2 and 500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := open(t, test.yaml)
			require.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// What only the world shows is an error of Connect, with a back-off that grows from 2 to 30 seconds.
func TestConnectBacksOff(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	token := sim.Token()
	sim.RevokeToken()
	in, err := open(t, "api_token: "+token+"\nbase_url: "+sim.URL())
	require.NoError(t, err)
	for _, want := range []string{"2s", "4s", "8s", "16s", "30s", "30s"} {
		err := in.Connect(t.Context())
		require.ErrorContains(t, err, "401")
		var backOff *service.ErrBackOff
		require.ErrorAs(t, err, &backOff)
		assert.Equal(t, want, backOff.Wait.String())
	}
	_, _, err = in.ReadBatch(t.Context())
	require.ErrorIs(t, err, service.ErrNotConnected)
}

// A spent day is no reason for a line every 30 seconds: the next attempt is when it may succeed.
func TestConnectWaitsForAsLongAsPipedriveSays(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	sim.FailNext(simulator.Daily429())
	in, err := open(t, "api_token: "+sim.Token()+"\nbase_url: "+sim.URL()+"\nbudget_probe_interval: 10m")
	require.NoError(t, err)
	var backOff *service.ErrBackOff
	require.ErrorAs(t, in.Connect(t.Context()), &backOff)
	untilReset := time.Until(sim.Now().Truncate(24 * time.Hour).Add(24 * time.Hour))
	assert.GreaterOrEqual(t, backOff.Wait, min(time.Minute, untilReset-time.Second))
	assert.LessOrEqual(t, backOff.Wait, 10*time.Minute)
}

// A checkpoint that cannot be used is never taken for "start from the beginning".
func TestConnectRefusesACheckpointItCannotUse(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 3})
	for _, test := range []struct{ name, key, stored, errContains string }{
		{"damaged", "pipedrive_poll.deals", `{"v":1,"comp`, "damaged"},
		{"empty", "pipedrive_poll.deals", ``, "damaged: it is empty"},
		{"of a newer release", "pipedrive_poll.deals", `{"v":99}`, "version 99, written by a newer release"},
		{"of another company", "pipedrive_poll.deals", `{"v":1,"company_id":"7","host":"other.pipedrive.com","object":"deals","first":true}`, "belongs to company 7 (other.pipedrive.com), the credential to company 10400001"},
		{"with the books of another company", "pipedrive_poll", `{"v":1,"company_id":"7","host":"other.pipedrive.com"}`, "belongs to company 7"},
		{"with damaged books", "pipedrive_poll", `nothing`, "damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in, err := open(t, "api_token: "+sim.Token()+"\nbase_url: "+sim.URL()+"\nobjects: [ deals ]\ncheckpoint_cache: state",
				service.MockResourcesOptAddCache("state"))
			require.NoError(t, err)
			require.NoError(t, in.res.AccessCache(t.Context(), "state", func(c service.Cache) {
				require.NoError(t, c.Set(t.Context(), test.key, []byte(test.stored), nil))
			}))
			err = in.Connect(t.Context())
			require.ErrorContains(t, err, test.errContains)
			assert.ErrorContains(t, err, "Nothing is read until")
			for _, r := range sim.Requests() {
				assert.False(t, strings.HasSuffix(r.Path, "/deals"), "nothing was read")
			}
		})
	}
}

// It would be kept in the checkpoint, where a corrected start_from is not looked at.
func TestConnectRefusesAStartThatIsStillToCome(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	yaml := "api_token: " + sim.Token() + "\nbase_url: " + sim.URL() + "\ncheckpoint_cache: state\nstart_from: "
	cache := service.MockResourcesOptAddCache("state")
	in, err := open(t, yaml+"2996-11-20T09:15:00Z", cache)
	require.NoError(t, err)
	require.ErrorContains(t, in.Connect(t.Context()), "start_from: 2996-11-20T09:15:00Z is still to come, Pipedrive's clock says 2")

	in, err = open(t, yaml+"2026-01-01T00:00:00+02:00", cache)
	require.NoError(t, err)
	require.NoError(t, in.Connect(t.Context()))
}

func TestConnectSaysWhichCacheIsMissing(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	in, err := open(t, "api_token: "+sim.Token()+"\nbase_url: "+sim.URL()+"\ncheckpoint_cache: state")
	require.NoError(t, err)
	require.ErrorContains(t, in.Connect(t.Context()), `checkpoint_cache: there is no cache resource with the label "state"`)
	require.ErrorContains(t, in.ConnectionTest(t.Context())[0].Err, `"state"`)
}

func TestConnectSaysWhichTokenCacheIsMissing(t *testing.T) {
	in, err := open(t, "oauth2: { client_id: client-1, client_secret: hunter2, refresh_token: hunter3, token_url: 'http://127.0.0.1:1/', token_cache: shelf }")
	require.NoError(t, err)
	err = in.Connect(t.Context())
	require.ErrorContains(t, err, `oauth2.token_cache: there is no cache resource with the label "shelf"; add one under cache_resources`)
	assert.NotContains(t, err.Error(), "base_url", "the remedy is another one")
	assert.NotContains(t, err.Error(), "hunter")
}

func TestConnectionTestAsksWhoTheCredentialIs(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	in, err := open(t, "api_token: "+sim.Token()+"\nbase_url: "+sim.URL())
	require.NoError(t, err)
	require.NoError(t, in.ConnectionTest(t.Context())[0].Err)
	sim.RevokeToken()
	require.ErrorContains(t, in.ConnectionTest(t.Context())[0].Err, "401")
}

// A checkpoint that cannot be used is looked at before Pipedrive is asked: it costs no tokens, however often.
func TestADamagedCheckpointCostsNoTokens(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	in, err := open(t, "api_token: "+sim.Token()+"\nbase_url: "+sim.URL()+"\ncheckpoint_cache: state", service.MockResourcesOptAddCache("state"))
	require.NoError(t, err)
	require.NoError(t, in.res.AccessCache(t.Context(), "state", func(c service.Cache) {
		require.NoError(t, c.Set(t.Context(), "pipedrive_poll.persons", []byte("{"), nil))
	}))
	for range 5 {
		require.ErrorContains(t, in.Connect(t.Context()), "damaged")
	}
	assert.Zero(t, sim.TokensSpent())
}

func TestTwoPollersDoNotShareACheckpoint(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	conf, err := pollSpec().ParseYAML("api_token: "+sim.Token()+"\nbase_url: "+sim.URL()+"\ncheckpoint_cache: state", nil)
	require.NoError(t, err)
	res := service.MockResources(service.MockResourcesOptAddCache("state"))
	first, err := newPollInput(conf, res)
	require.NoError(t, err)
	second, err := newPollInput(conf, res)
	require.NoError(t, err)
	require.NoError(t, first.Connect(t.Context()))
	require.ErrorContains(t, second.Connect(t.Context()), "another pipedrive_poll already keeps its checkpoint")
	require.NoError(t, first.Close(t.Context()))
	require.NoError(t, second.Connect(t.Context()), "the place is free again")
	require.NoError(t, second.Close(t.Context()))
}

// The key of one is where the other keeps its deals.
func TestTwoPollersDoNotShareAKeyOfAnObject(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	res := service.MockResources(service.MockResourcesOptAddCache("state"))
	poller := func(key string) *pollInput {
		conf, err := pollSpec().ParseYAML("api_token: "+sim.Token()+"\nbase_url: "+sim.URL()+"\ncheckpoint_cache: state\ncheckpoint_cache_key: "+key, nil)
		require.NoError(t, err)
		in, err := newPollInput(conf, res)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, in.Close(context.Background())) })
		return in
	}
	first, second, third := poller("crm"), poller("crm.deals"), poller("crm.users")
	require.NoError(t, first.Connect(t.Context()))
	require.ErrorContains(t, second.Connect(t.Context()), `in cache "state" under "crm.deals"`)
	require.NoError(t, third.Connect(t.Context()), "users are not read")
	require.NoError(t, first.Close(t.Context()))
	require.NoError(t, second.Connect(t.Context()), "the place is free again")
}

func TestCloseIsSafeBeforeConnectTwiceAndDuringRead(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	yaml := "api_token: " + sim.Token() + "\nbase_url: " + sim.URL()
	in, err := open(t, yaml)
	require.NoError(t, err)
	require.NoError(t, in.Close(t.Context()))
	require.NoError(t, in.Close(t.Context()))
	require.ErrorIs(t, in.Connect(t.Context()), service.ErrEndOfInput)

	in, err = open(t, yaml)
	require.NoError(t, err)
	require.NoError(t, in.Connect(t.Context()))
	read := make(chan error)
	go func() {
		_, _, err := in.ReadBatch(t.Context())
		read <- err
	}()
	require.NoError(t, in.Close(t.Context()))
	assert.Error(t, <-read)
}
