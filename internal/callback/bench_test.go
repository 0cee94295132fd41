package callback

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// One callback after another over a socket, signed.
func BenchmarkDeliver(b *testing.B) {
	far := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer far.Close()
	signer, err := NewSigner(StandardWebhooks, []string{"key"})
	require.NoError(b, err)
	client, err := New(Config{URL: far.URL, Signer: signer, Timeout: 10 * time.Second, Retry: asDesigned, Transport: &http.Transport{}})
	require.NoError(b, err)
	defer client.Close()
	m := Message{ID: deal.ID, Body: make([]byte, 4<<10)}
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, client.Deliver(b.Context(), m))
	}
}
