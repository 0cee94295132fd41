package fields

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// open is a book of the account behind the API.
func open(t *testing.T, sim *simulator.Simulator, share float64) *Book {
	t.Helper()
	c, err := pipedrive.New(pipedrive.Config{
		BaseURL: "https://acme.example", APIToken: sim.Token(), Transport: sim.Transport(), Timeout: 30 * time.Second, DailyShare: share,
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return New(Config{
		List: func(ctx context.Context, kind string) ([]entity.Field, error) {
			o, _ := entity.OfKind(kind)
			return c.Fields(ctx, o)
		},
		Company: func(ctx context.Context) (string, error) {
			me, err := c.Me(ctx)
			return me.CompanyID, err
		},
	})
}

func TestABookFollowsTheAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{Deals: 1})
		b := open(t, sim, 1)
		var tiers []simulator.CustomField // two fields of one name
		for _, f := range sim.CustomFields("deals") {
			if f.Name == "Tier" {
				tiers = append(tiers, f)
			}
		}
		require.Len(t, tiers, 2)
		fields := ask(t, b, tiers[0].Key)
		assert.Len(t, fields, len(sim.CustomFields("deals")))
		for _, f := range tiers {
			assert.Equal(t, "Tier ["+f.Key[:6]+"]", fields[f.Key].Name)
			assert.Equal(t, "Gold", fields[f.Key].Options[optionID(f, "Gold")])
		}

		key := sim.AddField("deals", "Brand new", "enum", "A", "B")
		gone := tiers[1].Key
		sim.DeleteField("deals", gone)
		<-time.After(time.Minute)
		fields = ask(t, b, key)
		assert.Equal(t, "Brand new", fields[key].Name)
		assert.NotContains(t, fields, gone)
		assert.Equal(t, "Tier", fields[tiers[0].Key].Name, "alone again")
		assert.Equal(t, 2+10+10, sim.TokensSpent())
	})
}

func optionID(f simulator.CustomField, label string) string {
	i := slices.IndexFunc(f.Options, func(o simulator.Option) bool { return o.Label == label })
	return strconv.FormatInt(f.Options[i].ID, 10)
}

func TestABookStaysInsideTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Options{DailyBudget: 1000})
		b := open(t, sim, 0.05)
		key := sim.CustomFields("deals")[0].Key
		fields := ask(t, b, key)
		assert.Contains(t, fields, key)
		for n := range 24 * 60 {
			<-time.After(time.Minute)
			assert.Contains(t, ask(t, b, key, fmt.Sprintf("%040x", n)), key)
		}
		assert.LessOrEqual(t, sim.TokensSpent(), 110, "two budget days at most, 50 tokens each, and what was under way")
	})
}

func TestNoFaultOfTheAPIIsAFaultOfTheBook(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"500": simulator.Status(500), "cut": simulator.Cut(), "truncated": simulator.Truncated(), "empty": simulator.Empty(),
		"reset": simulator.Reset(), "daily": simulator.Daily429(), "blocked": simulator.Cloudflare403(),
		"scope": simulator.Scope403(), "token": simulator.Unauthorized401(), "slow": simulator.Slow(time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := simulator.New(simulator.Options{})
				b := open(t, sim, 1)
				old := sim.CustomFields("deals")[0]
				ask(t, b, old.Key)
				sim.RenameField("deals", old.Key, "Renamed")
				sim.FailNext(fault.On("/api/v2/dealFields"))
				<-time.After(time.Hour)
				assert.Equal(t, old.Name, ask(t, b, old.Key)[old.Key].Name, "the older name, and no error")
				<-time.After(25 * time.Hour)
				assert.Equal(t, "Renamed", ask(t, b, old.Key)[old.Key].Name)
			})
		})
	}
}

func TestABookOfOneCompanyBesideAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours := simulator.New(simulator.Options{})
		theirs := ours.AddCompany(simulator.Options{Seed: 9})
		b := open(t, theirs, 1)
		_, err := b.Of(t.Context(), company, "deal", keys(ours.CustomFields("deals")[0].Key))
		require.ErrorAs(t, err, new(*OtherCompanyError))
		fields, err := b.Of(t.Context(), "10400002", "deal", keys(theirs.CustomFields("deals")[0].Key))
		require.NoError(t, err)
		assert.Contains(t, fields, theirs.CustomFields("deals")[0].Key)
		assert.NotContains(t, fields, ours.CustomFields("deals")[0].Key)
	})
}
