package simulator_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// A page of 500 deals over loopback: from the page cache, and rendered anew.
func BenchmarkPage(b *testing.B) {
	for name, cached := range map[string]bool{"cached": true, "rendered": false} {
		b.Run(name, func(b *testing.B) {
			s := simulator.RunT(b, simulator.Options{
				Deals: 100_000, Persons: 1000, Organizations: 1000, DailyBudget: -1, Burst: -1, CachePages: cached,
			})
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL()+"/api/v2/deals?limit=500&sort_by=update_time", http.NoBody)
			require.NoError(b, err)
			req.Header.Set("x-api-token", s.Token())
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for b.Loop() {
				res, err := client.Do(req)
				require.NoError(b, err)
				n, err := io.Copy(io.Discard, res.Body)
				require.NoError(b, err)
				b.SetBytes(n)
				require.NoError(b, res.Body.Close())
			}
		})
	}
}
