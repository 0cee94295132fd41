package input

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

const anyPort = hookCredentials + "address: 127.0.0.1:0\n"

// ask returns the status of a path of the open door.
func (w *webhookInput) ask(t *testing.T, method, path string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.run.mount.Addr().String()+path, strings.NewReader("{}"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("hook", "hunter2")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// What only the world shows is an error of Connect that names it, with a back-off that grows from 2 to 30 seconds; and the
// next attempt finds it mended.
func TestADoorThatCannotOpenSaysWhyAndTriesAgain(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	held := filepath.Join(t.TempDir(), "held.db")
	j, err := journal.Open(journal.Options{Path: held})
	require.NoError(t, err)
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	require.NoError(t, os.WriteFile(damaged, []byte(strings.Repeat("nothing", 2000)), 0o600))
	for _, test := range []struct {
		name, yaml, errContains string
		mend                    func() error
	}{
		{"a taken port", hookCredentials + "address: " + taken.Addr().String(), "another process or program holds the address", taken.Close},
		{"a journal that is held", anyPort + "journal: { path: " + held + " }", "it is held by another process", j.Close},
		{"a journal that is damaged", anyPort + "journal: { path: " + damaged + " }", damaged, func() error { return os.Remove(damaged) }},
		{"a cache that is missing", anyPort + "dedupe: { cache: seen }", `dedupe.cache: there is no cache resource with the label "seen"`, nil},
		{"a certificate that is missing", anyPort + "tls: { enabled: true, cert_file: nowhere.pem, key_file: nowhere.pem }", "cert_file", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in, err := openWebhook(t, test.yaml)
			require.NoError(t, err, "the configuration does not show it")
			require.Error(t, in.ConnectionTest(t.Context())[0].Err)
			for _, want := range []string{"2s", "4s", "8s", "16s", "30s", "30s"} {
				err := in.Connect(t.Context())
				require.ErrorContains(t, err, test.errContains)
				var backOff *service.ErrBackOff
				require.ErrorAs(t, err, &backOff)
				assert.Equal(t, want, backOff.Wait.String())
			}
			_, _, err = in.ReadBatch(t.Context())
			require.ErrorIs(t, err, service.ErrNotConnected)
			if test.mend != nil {
				require.NoError(t, test.mend())
				require.NoError(t, in.Connect(t.Context()))
				assert.NoError(t, in.ConnectionTest(t.Context())[0].Err)
			}
		})
	}
}

func TestTheDoorServesItsPathsAndNoOthers(t *testing.T) {
	in, err := openWebhook(t, anyPort+"path: /hook\ninstance_id: '20931'")
	require.NoError(t, err)
	require.NoError(t, in.ConnectionTest(t.Context())[0].Err)
	require.NoError(t, in.Connect(t.Context()))
	assert.Equal(t, http.StatusOK, in.ask(t, http.MethodGet, "/healthz"))
	assert.Equal(t, http.StatusBadRequest, in.ask(t, http.MethodPost, "/hook/MjA5MzE="))
	assert.Equal(t, http.StatusBadRequest, in.ask(t, http.MethodPost, "/hook/MjA5MzE%3D"))
	assert.Equal(t, http.StatusMethodNotAllowed, in.ask(t, http.MethodGet, "/hook/MjA5MzE="))
	assert.Equal(t, http.StatusNotFound, in.ask(t, http.MethodPost, "/hook"))
	assert.Equal(t, http.StatusNotFound, in.ask(t, http.MethodPost, "/"))
}

// withAndWithoutJournal runs a test of what both sources of a door do alike.
func withAndWithoutJournal(t *testing.T, test func(t *testing.T, journal string)) {
	t.Run("with a journal", func(t *testing.T) {
		test(t, "journal: { path: "+filepath.Join(t.TempDir(), "webhooks.db")+" }\n")
	})
	t.Run("without one", func(t *testing.T) { test(t, "") })
}

// When the listener dies, the host is told so, everything is taken down, and the next Connect opens it anew.
func TestADoorWhoseListenerDiedIsOpenedAnew(t *testing.T) {
	withAndWithoutJournal(t, func(t *testing.T, journal string) {
		in, err := openWebhook(t, anyPort+journal)
		require.NoError(t, err)
		require.NoError(t, in.Connect(t.Context()))
		first := in.run
		first.end(errors.New("the listener has died"))
		_, _, err = in.ReadBatch(t.Context())
		require.ErrorIs(t, err, service.ErrNotConnected)
		require.NoError(t, in.Connect(t.Context()))
		assert.NotSame(t, first, in.run)
		assert.Equal(t, http.StatusOK, in.ask(t, http.MethodGet, "/healthz"))
	})
}

func TestWebhookCloseIsSafeBeforeConnectTwiceAndDuringRead(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	registered := anyPort + "registration: { enabled: true, public_url: 'http://127.0.0.1:1', api_token: " + sim.Token() + ", base_url: '" + sim.URL() + "' }\n"
	withAndWithoutJournal(t, func(t *testing.T, journal string) {
		in, err := openWebhook(t, registered+journal)
		require.NoError(t, err)
		require.NoError(t, in.Close(t.Context()))
		require.NoError(t, in.Close(t.Context()))
		require.ErrorIs(t, in.Connect(t.Context()), service.ErrEndOfInput)

		before := runtime.NumGoroutine()
		in, err = openWebhook(t, registered+journal)
		require.NoError(t, err)
		require.NoError(t, in.Connect(t.Context()))
		read := make(chan error)
		go func() {
			_, _, err := in.ReadBatch(t.Context())
			read <- err
		}()
		began := time.Now()
		require.NoError(t, in.Close(t.Context()))
		assert.Less(t, time.Since(began), 5*time.Second)
		require.Error(t, <-read)
		http.DefaultClient.CloseIdleConnections()
		assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, 10*time.Millisecond, "goroutines are back to the start")
	})
}
