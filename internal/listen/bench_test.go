package listen

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// What 2,000 connections hold that have sent half a header, with TLS behind the handshake. Both ends live in this process:
// with TLS about half of it is the clients'.
func BenchmarkIdleConnections(b *testing.B) {
	for _, secured := range []bool{false, true} {
		name, tlsFiles := "plain", TLS{}
		if secured {
			name = "tls"
		}
		b.Run(name, func(b *testing.B) {
			if secured {
				tlsFiles = inFiles(b, issue(b, "server"))
				tlsFiles.ClientCAFile = ""
			}
			for b.Loop() {
				holdIdle(b, tlsFiles)
			}
		})
	}
}

func holdIdle(b *testing.B, files TLS) {
	const connections = 2000
	m, err := NewRegistry().Mount(b.Context(), Config{Address: loopback, TLS: files, MaxConns: connections, ReadHeaderTimeout: 1 << 40}, "/", says("it"))
	require.NoError(b, err)
	before := inUse()
	conns := make([]net.Conn, connections)
	for i := range conns {
		conns[i], err = net.Dial("tcp", m.Addr().String())
		require.NoError(b, err)
		if files.Enabled {
			secured := tls.Client(conns[i], &tls.Config{InsecureSkipVerify: true})
			require.NoError(b, secured.Handshake())
			conns[i] = secured
		}
		_, err = io.WriteString(conns[i], unfinished)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(inUse()-before)/connections, "B/conn")
	for _, conn := range conns {
		require.NoError(b, conn.Close())
	}
	require.NoError(b, m.Close(b.Context()))
}

func inUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse + stats.StackInuse
}

// The cost of sharing: a request by a mount, and by net/http alone.
func BenchmarkRequest(b *testing.B) {
	bare := httptest.NewServer(says("it"))
	defer bare.Close()
	m, err := NewRegistry().Mount(b.Context(), Config{Address: loopback}, "/", says("it"))
	require.NoError(b, err)
	defer m.Close(b.Context())
	for name, address := range map[string]string{"bare": bare.URL, "mounted": "http://" + m.Addr().String() + "/"} {
		b.Run(name, func(b *testing.B) {
			transport := &http.Transport{MaxIdleConnsPerHost: 16}
			defer transport.CloseIdleConnections()
			b.SetParallelism(8)
			b.RunParallel(func(p *testing.PB) {
				c := http.Client{Transport: transport}
				for p.Next() {
					answer, err := c.Get(address)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, answer.Body)
					_ = answer.Body.Close()
				}
			})
		})
	}
}
