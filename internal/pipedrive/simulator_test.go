package pipedrive

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// as makes the client of an account, over a socket or not.
func as(sim *simulator.Simulator) func(*Config) {
	return func(cfg *Config) { cfg.APIToken = sim.Token() }
}

func off(sim *simulator.Simulator) func(*Config) {
	return func(cfg *Config) { cfg.APIToken, cfg.Transport = sim.Token(), sim.Transport() }
}

// walk reads a list to its end.
func walk(t *testing.T, c *Client, obj *entity.Object, q Query) []string {
	t.Helper()
	var ids []string
	for {
		page, err := c.List(t.Context(), obj, q)
		require.NoError(t, err)
		for _, r := range page.Records {
			ids = append(ids, r.ID)
		}
		if !page.More {
			return ids
		}
		q.Cursor, q.Start = page.Next, page.NextStart
	}
}

func TestEveryListOfTheCatalogueIsReadWhole(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{
		Deals: 12, Persons: 12, Organizations: 12, Activities: 12, Products: 12, Leads: 12, Notes: 12, Files: 12,
		CallLogs: 12, Projects: 12, Tasks: 12, Users: 12, Pipelines: 12, Stages: 12, ActivityTypes: 12, Burst: 10_000,
	})
	sim.Archive("deals", sim.IDs("deals")[0])
	sim.Archive("leads", sim.IDs("leads")[0])
	c := dial(t, sim.URL(), as(sim))
	me, err := c.Me(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "acme-sandbox.pipedrive.com", me.Host)
	assert.WithinDuration(t, sim.Now(), me.ServerTime, 2*time.Second)
	for _, obj := range entity.All() {
		want := sim.IDs(obj.Name)
		require.NotEmpty(t, want, obj.Name)
		for _, order := range []Order{Unordered, OldestFirst, NewestFirst} {
			assert.ElementsMatch(t, want, walk(t, c, &obj, Query{Order: order, Limit: 5}), "%s, order %d", obj.Name, order)
		}
		custom := obj
		custom.Paging = entity.AnyPaging
		assert.ElementsMatch(t, want, walk(t, c, &custom, Query{Limit: 5}), "%s, paging found", obj.Name)
		if obj.Record != "" {
			r, err := c.Record(t.Context(), &obj, want[0])
			require.NoError(t, err)
			assert.Equal(t, want[0], r.ID)
			sent, _ := sim.Get(obj.Name, want[0])
			assert.JSONEq(t, string(sent), string(r.JSON))
		}
	}
	assert.EqualValues(t, sim.TokensSpent(), c.Spend().Tokens, "the catalogue's costs are those that are charged")
	assert.EqualValues(t, sim.TokensLeft(), c.Left())
	for _, r := range sim.Requests() {
		assert.NotContains(t, fmt.Sprint(r.Path, r.Query), sim.Token())
	}
}

func TestADeletedRecordIsMarkedOrGone(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 2, Notes: 1})
	c := dial(t, sim.URL(), as(sim))
	deal := sim.IDs("deals")[0]
	sim.Delete("deals", deal)
	page, err := c.List(t.Context(), row("deals"), Query{})
	require.NoError(t, err)
	i := slices.IndexFunc(page.Records, func(r Record) bool { return r.ID == deal })
	require.GreaterOrEqual(t, i, 0)
	assert.True(t, page.Records[i].Deleted)

	sim.Purge("deals", deal)
	_, err = c.Record(t.Context(), row("deals"), deal)
	var gone *GoneError
	require.ErrorAs(t, err, &gone)
}

func TestTheSimulatorsTroublesAreJudged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault simulator.Fault
		want  any
		kind  Kind
	}{
		{simulator.Status(500), new(*LaterError), KindServer},
		{simulator.Status(504), new(*LaterError), KindServer},
		{simulator.Truncated(), new(*LaterError), KindGarbled},
		{simulator.Cut(), new(*LaterError), KindGarbled},
		{simulator.Empty(), new(*LaterError), KindGarbled},
		{simulator.Unsuccessful(), new(*LaterError), KindGarbled},
		{simulator.Reset().Times(2), new(*LaterError), KindNetwork},
		{simulator.Cloudflare403(), new(*LaterError), KindBlocked},
		{simulator.Daily429(), new(*LaterError), KindDaily},
		{simulator.Burst429(), new(*LaterError), KindBurst},
		{simulator.Scope403(), new(*ForbiddenError), ""},
		{simulator.Unauthorized401(), new(*CredentialError), ""},
		{simulator.BadCursor(), new(*RefusedError), ""},
		{simulator.Status(402), new(*ForbiddenError), ""},
		{simulator.Status(415), new(*ForbiddenError), ""},
	} {
		sim := simulator.RunT(t, simulator.Options{Deals: 3})
		c := dial(t, sim.URL(), as(sim))
		page, err := c.List(t.Context(), row("deals"), Query{Limit: 1})
		require.NoError(t, err)
		sim.FailNext(test.fault)
		_, err = c.List(t.Context(), row("deals"), Query{Limit: 1, Cursor: page.Next})
		require.ErrorAs(t, err, test.want, "%+v", test.fault)
		if later, ok := test.want.(**LaterError); ok {
			assert.Equal(t, test.kind, (*later).Kind, "%v", err)
		}
	}
}

func TestARunningAccountNeverSeesABurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{Deals: 3, Burst: 20, DailyBudget: -1})
		shared := NewShared()
		var callers sync.WaitGroup
		for range 3 {
			c := dial(t, "https://acme.example", off(sim), func(cfg *Config) { cfg.Shared = shared })
			for range 60 {
				callers.Go(func() {
					_, err := c.List(t.Context(), row("pipelines"), Query{})
					assert.NoError(t, err)
				})
			}
		}
		callers.Wait()
		assert.Len(t, sim.Requests(), 180)
		for _, r := range sim.Requests() {
			assert.Equal(t, http.StatusOK, r.Status)
		}
	})
}

func TestADayOfPollingStaysWithinTheShare(t *testing.T) {
	t.Parallel()
	for _, headers := range []bool{true, false} {
		t.Run(fmt.Sprintf("headers %v", headers), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := simulator.New(simulator.Options{Deals: 3, DailyBudget: 30_000})
				if !headers {
					sim.HideHeaders("X-Daily-Ratelimit-Token-Limit", "X-Daily-Ratelimit-Token-Remaining")
				}
				c := dial(t, "https://acme.example", off(sim), func(cfg *Config) { cfg.DailyShare = 0.1 })
				_, err := c.Me(t.Context())
				require.NoError(t, err)
				const interval = time.Minute
				c.Plan("deals", 10/interval.Seconds())
				first, days := c.Reset(), 0
				for reset := first; time.Now().Before(first.Add(72 * time.Hour)); {
					if now := c.Reset(); !now.Equal(reset) {
						reset, days = now, days+1
						assert.LessOrEqual(t, sim.TokensSpent(), days*3_000)
					}
					require.NoError(t, list(t, c), "paced from the start, nothing is ever refused")
					<-time.After(time.Duration(float64(interval) * min(c.Stretch(), time.Until(c.Reset()).Minutes()+1)))
				}
				assert.Equal(t, 3, days)
				assert.Greater(t, sim.TokensSpent(), 3*3_000-100, "and the share is used")
			})
		})
	}
}

func TestASpentCompanyIsProbedUntilItsOwnMidnight(t *testing.T) {
	t.Parallel()
	for _, quirks := range []simulator.Quirks{{}, {NoRetryAfter: true}} {
		synctest.Test(t, func(t *testing.T) {
			zone := time.FixedZone("", 2*60*60) // midnight is at 22:00 UTC
			sim := simulator.New(simulator.Options{Deals: 3, DailyBudget: 100, ResetZone: zone, Quirks: quirks})
			sim.HideHeaders("X-Daily-Ratelimit-Token-Limit", "X-Daily-Ratelimit-Token-Remaining")
			c := dial(t, "https://acme.example", off(sim))
			for range 10 {
				require.NoError(t, list(t, c))
			}
			began := time.Now()
			for {
				_, err := c.List(t.Context(), row("deals"), Query{})
				if err == nil {
					break
				}
				<-time.After(requireLater(t, err, KindDaily).After)
			}
			refused := sim.Count("/api/v2/deals") - 11
			assert.Equal(t, 22*time.Hour, time.Since(began).Truncate(time.Minute), "the bubble's clock begins at midnight UTC")
			if quirks.NoRetryAfter {
				assert.Equal(t, 22*4, refused)
			} else {
				assert.Equal(t, 1, refused)
			}
			assert.Equal(t, Spend{Reset: began.Add(46 * time.Hour).UTC(), Tokens: 10}, c.Spend(), "when its day ends is known now")
		})
	}
}

func TestAnInstalledAppKeepsReadingWhateverItsTokensDo(t *testing.T) {
	t.Parallel()
	for _, rotate := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			sim := simulator.New(simulator.Options{Deals: 3, OAuth: simulator.OAuth{Rotate: rotate, ExpiresIn: 5 * time.Minute}})
			store := &shelf{}
			app := func(cfg *Config) {
				o := sim.OAuth()
				cfg.APIToken, cfg.Transport = "", sim.Transport()
				cfg.OAuth = &OAuth{ClientID: o.ClientID, ClientSecret: o.ClientSecret, RefreshToken: o.RefreshToken, Store: store}
			}
			c := dial(t, "https://acme.example", app)
			for range 10 {
				require.NoError(t, list(t, c))
				<-time.After(2 * time.Minute)
			}
			sim.ExpireAccessTokens()
			require.NoError(t, list(t, c))
			c = dial(t, "https://acme.example", app)
			require.NoError(t, list(t, c), "after a restart")
			sim.Uninstall()
			requireCredential(t, list(t, c), "re-install the app")
			asked := sim.Count("")
			requireCredential(t, list(t, c), "re-install the app")
			assert.Equal(t, asked, sim.Count(""))
		})
	}
}
