package listen

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	lookEvery   = time.Second
	maxPEMBytes = 1 << 20
)

// identity is a certificate, its key and the authorities of the clients, as their files have them now.
type identity struct {
	files   TLS
	report  func(error)
	current atomic.Pointer[tls.Config]

	mu     sync.Mutex
	looked time.Time
	seen   [3]stamp // of the files from which current was read
	failed string   // the last error that was reported; empty since current was read
}

// stamp tells two states of a file apart.
type stamp struct {
	modified time.Time
	size     int64
}

func newIdentity(files TLS, report func(error)) (*identity, error) {
	i := &identity{files: files, report: report, looked: time.Now()}
	seen, err := files.stamps()
	if err != nil {
		return nil, err
	}
	config, err := files.load()
	if err != nil {
		return nil, err
	}
	i.seen = seen
	i.current.Store(config)
	return i, nil
}

// serverConfig asks for the current files in every handshake; connections that are open keep what they began with.
func (i *identity) serverConfig() *tls.Config {
	config := i.current.Load().Clone()
	config.Certificates = nil
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		i.look(time.Now())
		return i.current.Load(), nil
	}
	return config
}

// look reads the files again if they have changed, at most once a second. New ones that cannot be used leave the old
// in force, are reported once, and are tried again each time. Who meets another at it goes on with what there is.
func (i *identity) look(now time.Time) {
	if !i.mu.TryLock() {
		return
	}
	defer i.mu.Unlock()
	if now.Sub(i.looked) < lookEvery {
		return
	}
	i.looked = now
	seen, err := i.files.stamps() // before reading, so that a change meanwhile is seen next time
	if err == nil && seen == i.seen {
		i.failed = ""
		return
	}
	var config *tls.Config
	if err == nil {
		config, err = i.files.load()
	}
	if err != nil {
		if i.failed != err.Error() {
			i.failed = err.Error()
			i.report(fmt.Errorf("renewing the certificate, the old one stays: %w", err))
		}
		return
	}
	i.seen, i.failed = seen, ""
	i.current.Store(config)
}

func (t TLS) stamps() (seen [3]stamp, err error) {
	for n, file := range t.named() {
		if file.path == "" && n == clientCAs {
			continue
		}
		info, err := os.Stat(file.path)
		if err != nil {
			return seen, fmt.Errorf("%s: %w", file.field, err)
		}
		seen[n] = stamp{info.ModTime(), info.Size()}
	}
	return seen, nil
}

const clientCAs = 2 // in named

func (t TLS) named() [3]struct{ field, path string } {
	return [3]struct{ field, path string }{
		{"tls.cert_file", t.CertFile}, {"tls.key_file", t.KeyFile}, {"tls.client_ca_file", t.ClientCAFile},
	}
}

// load reads the files. Errors name the field.
func (t TLS) load() (*tls.Config, error) {
	var content [3][]byte
	for n, file := range t.named() {
		if file.path == "" && n == clientCAs {
			continue
		}
		var err error
		if content[n], err = readPEM(file.path); err != nil {
			return nil, fmt.Errorf("%s: %w", file.field, err)
		}
	}
	if err := checkCertificate(content[0]); err != nil {
		return nil, fmt.Errorf("tls.cert_file: %s: %w", t.CertFile, err)
	}
	pair, err := tls.X509KeyPair(content[0], content[1])
	if err != nil {
		return nil, fmt.Errorf("tls.key_file: %s is not the key of %s: %w", t.KeyFile, t.CertFile, err)
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
		Certificates: []tls.Certificate{pair},
	}
	if t.ClientCAFile != "" {
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(content[clientCAs]) {
			return nil, fmt.Errorf("tls.client_ca_file: %s: there is no certificate in it", t.ClientCAFile)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.SessionTicketsDisabled = true // a resumed session would outlive the authority that let it in
	}
	return config, nil
}

func checkCertificate(content []byte) error {
	for {
		block, rest := pem.Decode(content)
		if block == nil {
			return errors.New("there is no certificate in it")
		}
		if block.Type == "CERTIFICATE" {
			_, err := x509.ParseCertificate(block.Bytes)
			return err
		}
		content = rest
	}
}

func readPEM(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxPEMBytes+1))
	if err == nil && len(content) > maxPEMBytes {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxPEMBytes)
	}
	return content, err
}
