package input_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// An installed app whose refresh token changes with each refresh goes on after restarts: the newest one is kept.
func TestAnAppKeepsItsNewestRefreshToken(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{
		Deals: 50, DailyBudget: plenty, Burst: plenty,
		OAuth: simulator.OAuth{Rotate: true, ExpiresIn: 2 * time.Second},
	})
	app := sim.OAuth()
	yaml := fmt.Sprintf(`
pipedrive_poll:
  base_url: %%URL
  oauth2:
    client_id: %s
    client_secret: %s
    refresh_token: %s
    token_url: %%URL/oauth/token
    token_cache: state
  objects: [ deals ]
  interval: 50ms
  daily_token_share: 1
  checkpoint_cache: state
`, app.ClientID, app.ClientSecret, app.RefreshToken)
	folder := t.TempDir()
	for round := range 3 {
		p := newPipeline(t, sim, yaml, nil, folder)
		p.start()
		if round == 0 {
			p.await(50)
		}
		id := sim.Add("deals", simulator.Fields{"title": "New"})
		came := p.await(len(p.came) + 1)
		for came[len(came)-1].meta["pipedrive_id"] != id {
			came = p.await(len(came) + 1)
		}
		p.stop()
		for _, secret := range []string{app.ClientSecret, app.RefreshToken} {
			assert.NotContains(t, p.log.String(), secret)
		}
	}
	require.Greater(t, sim.Count("/oauth/token"), 2, "every start refreshes")
}
