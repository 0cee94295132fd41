package input

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// When the system takes the listener away, the host is told so, and the next Connect opens the same address anew. The log
// says both, once.
func TestADoorWhoseListenerIsTakenAwayIsOpenedAnew(t *testing.T) {
	folder := t.TempDir()
	log, err := os.Create(filepath.Join(folder, "log"))
	require.NoError(t, err)
	defer log.Close()
	says := func(line string) int {
		content, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		return strings.Count(string(content), line)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	in, err := openWebhook(t, hookCredentials+"address: "+l.Addr().String()+"\njournal: { path: "+filepath.Join(folder, "webhooks.db")+" }", service.MockResourcesOptUseLogger(service.NewLoggerFromSlog(slog.New(slog.NewTextHandler(log, nil)))))
	require.NoError(t, err)
	require.NoError(t, in.Connect(t.Context()))
	assert.Zero(t, says("again"))
	read := make(chan error, 1)
	go func() {
		_, _, err := in.ReadBatch(t.Context())
		read <- err
	}()
	takeAway(t, l.Addr().(*net.TCPAddr).Port)
	require.ErrorIs(t, <-read, service.ErrNotConnected)
	assert.Equal(t, 1, says(`level=ERROR msg="The door is closed: `))
	taken, err := net.Listen("tcp", l.Addr().String())
	require.NoError(t, err)
	require.Error(t, in.Connect(t.Context()), "somebody else was faster")
	assert.Zero(t, says("again"))
	require.NoError(t, taken.Close())
	require.NoError(t, in.Connect(t.Context()))
	assert.Equal(t, http.StatusOK, in.ask(t, http.MethodGet, "/healthz"))
	require.NoError(t, in.Connect(t.Context()))
	assert.Equal(t, 1, says(`level=INFO msg="The door is open again"`))
}

// takeAway shuts the socket of this process that listens on a port: its accept fails, as after a fault of the system.
func takeAway(t *testing.T, port int) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		require.NoError(t, err)
		listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
		if err != nil || listens == 0 {
			continue
		}
		name, err := syscall.Getsockname(fd)
		require.NoError(t, err)
		if at, ok := name.(*syscall.SockaddrInet4); ok && at.Port == port {
			require.NoError(t, syscall.Shutdown(fd, syscall.SHUT_RD))
			return
		}
	}
	require.Fail(t, fmt.Sprint("nobody listens on ", port))
}
