package listen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// issued is a certificate that signs itself, for server, client and authority alike.
type issued struct {
	cert, key []byte // PEM
	pair      tls.Certificate
}

func issue(t testing.TB, name string) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(100, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	i := issued{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
	i.pair, err = tls.X509KeyPair(i.cert, i.key)
	require.NoError(t, err)
	return i
}

// inFiles writes a pair to a folder, also as authority of the clients.
func inFiles(t testing.TB, i issued) TLS {
	t.Helper()
	folder := t.TempDir()
	files := TLS{
		Enabled: true, CertFile: filepath.Join(folder, "cert.pem"), KeyFile: filepath.Join(folder, "key.pem"),
		ClientCAFile: filepath.Join(folder, "ca.pem"),
	}
	write(t, files.CertFile, i.cert)
	write(t, files.KeyFile, i.key)
	write(t, files.ClientCAFile, i.cert)
	return files
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

// secure trusts one server and shows one certificate, if any.
func secure(t *testing.T, server issued, own ...tls.Certificate) *http.Client {
	c := client(t)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(server.cert))
	config := &tls.Config{RootCAs: roots}
	if len(own) > 0 { // whether or not the server knows who has signed it
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own[0], nil }
	}
	c.Transport.(*http.Transport).TLSClientConfig = config
	return c
}

func inTLS(m *Mount, path string) string { return "https://" + m.Addr().String() + path }

func TestARenewedCertificateIsUsedAndOpenConnectionsStay(t *testing.T) {
	t.Parallel()
	var told book
	first, second := issue(t, "first"), issue(t, "second")
	files := inFiles(t, first)
	files.ClientCAFile = ""
	m := mount(t, NewRegistry(), Config{Address: loopback, TLS: files, OnError: told.write}, "/", says("it"))
	open := secure(t, first)
	_, body := get(t, open, inTLS(m, "/"))
	assert.Equal(t, "it", body)

	write(t, files.CertFile, second.cert)
	write(t, files.KeyFile, second.key)
	require.Eventually(t, func() bool {
		answer, err := secure(t, second).Get(inTLS(m, "/"))
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil
	}, 10*time.Second, 20*time.Millisecond, "the new certificate is not used")
	_, body = get(t, open, inTLS(m, "/"))
	assert.Equal(t, "it", body, "the open connection is gone")
	_, err := secure(t, first).Get(inTLS(m, "/"))
	assert.Error(t, err, "the old certificate is still used")
}

func TestFilesAreLookedAtOnceASecondAndBrokenOnesAreReportedOnce(t *testing.T) {
	first, second := issue(t, "first"), issue(t, "second")
	files := inFiles(t, first)
	synctest.Test(t, func(t *testing.T) {
		var told book
		i, err := newIdentity(files, told.write)
		require.NoError(t, err)
		uses := func(c issued) bool {
			return string(i.current.Load().Certificates[0].Certificate[0]) == string(c.pair.Certificate[0])
		}

		write(t, files.CertFile, second.cert)
		i.look(time.Now())
		assert.Empty(t, told.read(), "looked before a second was over")
		for range 3 {
			<-time.After(time.Second)
			i.look(time.Now())
			assert.True(t, uses(first))
		}
		require.Len(t, told.read(), 1)
		assert.Contains(t, told.read()[0], "tls.key_file")
		assert.Contains(t, told.read()[0], "the old one stays")

		require.NoError(t, os.Remove(files.KeyFile))
		<-time.After(time.Second)
		i.look(time.Now())
		assert.Len(t, told.read(), 2, "another mistake is another report")

		write(t, files.KeyFile, second.key)
		i.look(time.Now())
		assert.True(t, uses(first))
		<-time.After(time.Second)
		i.look(time.Now())
		assert.True(t, uses(second))
		assert.Len(t, told.read(), 2)
	})
}

func TestClientsShowACertificateOfTheCurrentAuthority(t *testing.T) {
	t.Parallel()
	var told book
	server, friend, stranger := issue(t, "server"), issue(t, "friend"), issue(t, "stranger")
	files := inFiles(t, server)
	write(t, files.ClientCAFile, friend.cert)
	m := mount(t, NewRegistry(), Config{Address: loopback, TLS: files, OnError: told.write}, "/", says("it"))
	asks := func(own ...tls.Certificate) error {
		answer, err := secure(t, server, own...).Get(inTLS(m, "/"))
		if err == nil {
			err = answer.Body.Close()
		}
		return err
	}
	for range 3 {
		assert.NoError(t, asks(friend.pair))
		assert.Error(t, asks(stranger.pair))
		assert.Error(t, asks())
	}
	assert.Eventually(t, func() bool { return len(told.read()) == 2 }, 5*time.Second, time.Millisecond, "one text for each reason")
	for _, line := range told.read() {
		assert.Contains(t, line, "TLS handshake error")
		assert.Contains(t, line, "listener on "+m.Addr().String())
	}

	write(t, files.ClientCAFile, stranger.cert)
	require.Eventually(t, func() bool { return asks(stranger.pair) == nil }, 10*time.Second, 20*time.Millisecond)
	assert.Error(t, asks(friend.pair), "the former authority still counts")
}

func TestASessionIsNotResumedPastAnAuthority(t *testing.T) {
	t.Parallel()
	server := issue(t, "server")
	for _, authority := range []bool{false, true} {
		files := inFiles(t, server)
		if !authority {
			files.ClientCAFile = ""
		}
		m := mount(t, NewRegistry(), Config{Address: loopback, TLS: files}, "/", says("it"))
		c := secure(t, server, server.pair)
		transport := c.Transport.(*http.Transport)
		transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		var resumed bool
		for range 2 {
			answer, err := c.Get(inTLS(m, "/"))
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, answer.Body)
			require.NoError(t, answer.Body.Close())
			resumed = answer.TLS.DidResume
			transport.CloseIdleConnections()
		}
		assert.Equal(t, !authority, resumed)
	}
}

func TestMountNamesTheFileThatIsWrong(t *testing.T) {
	t.Parallel()
	good := issue(t, "good")
	for _, test := range []struct {
		name        string
		spoil       func(*TLS)
		errContains string
	}{
		{"no certificate file", func(f *TLS) { f.CertFile = "nowhere.pem" }, "tls.cert_file: stat nowhere.pem"},
		{"no certificate set", func(f *TLS) { f.CertFile = "" }, "tls.cert_file: "},
		{"no key file", func(f *TLS) { f.KeyFile = "nowhere.pem" }, "tls.key_file: stat nowhere.pem"},
		{"no authority file", func(f *TLS) { f.ClientCAFile = "nowhere.pem" }, "tls.client_ca_file: stat nowhere.pem"},
		{"a folder", func(f *TLS) { f.CertFile = filepath.Dir(f.CertFile) }, "tls.cert_file: "},
		{"key as certificate", func(f *TLS) { f.CertFile = f.KeyFile }, "tls.cert_file: "},
		{"certificate as key", func(f *TLS) { f.KeyFile = f.CertFile }, "tls.key_file: "},
		{"broken certificate", func(f *TLS) {
			write(t, f.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
		}, "tls.cert_file: "},
		{"key of another", func(f *TLS) { write(t, f.KeyFile, issue(t, "other").key) }, "tls.key_file: "},
		{"authority without certificate", func(f *TLS) { write(t, f.ClientCAFile, good.key) }, "tls.client_ca_file: "},
		{"too large", func(f *TLS) { write(t, f.CertFile, []byte(strings.Repeat("x", maxPEMBytes+1))) }, "larger than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			files := inFiles(t, good)
			test.spoil(&files)
			r := NewRegistry()
			_, err := r.Mount(t.Context(), Config{Address: loopback, TLS: files}, "/", says("it"))
			require.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "PRIVATE")
			assert.Empty(t, r.open)
		})
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	server := issue(t, "server")
	files := inFiles(t, server)
	files.ClientCAFile = ""
	m := mount(t, NewRegistry(), Config{Address: loopback, TLS: files}, "/", says("it"))
	old := secure(t, server)
	config := old.Transport.(*http.Transport).TLSClientConfig
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	_, err := old.Get(inTLS(m, "/"))
	assert.ErrorContains(t, err, "protocol version")
}

func TestAScannerDoesNotFillTheLog(t *testing.T) {
	t.Parallel()
	var told book
	files := inFiles(t, issue(t, "server"))
	m := mount(t, NewRegistry(), Config{Address: loopback, TLS: files, OnError: told.write, ReadHeaderTimeout: time.Second}, "/", says("it"))
	for range 50 {
		conn := dial(t, m, "GET / HTTP/1.0\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
		hungUp(t, dial(t, m, "garbage\r\n\r\n"), 5*time.Second)
	}
	silent := dial(t, m, "")
	hungUp(t, silent, 5*time.Second) // the handshake has its time too
	assert.LessOrEqual(t, len(told.read()), 4)
	assert.NotEmpty(t, told.read())
}
