package listen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Config of an address. All who share one have to agree in everything but OnError. Zero means the default.
type Config struct {
	Address string // host:port; an empty host is every address of the machine
	TLS     TLS

	ReadHeaderTimeout time.Duration // for the TLS handshake, and again for a header; 5s
	IdleTimeout       time.Duration // between two requests of a connection; 2m
	MaxHeaderBytes    int           // of a request; 16 KiB
	// MaxConns is how many connections are open together; 1024. When one more comes, another is closed for it, so that
	// silent ones keep nobody out: one that has not made a complete request for a second, else the longest idle that
	// no mount has ever answered 2xx, and only at last the longest idle of the others. While each has a request under
	// way, further ones wait. Those who have not made a request yet are half as many at most: each costs some 13 KiB.
	MaxConns int

	// OnError takes what a person should know and no request is told: a certificate that could not be renewed (once,
	// until it could), a failed handshake, a panic (each text once an hour). It must not block; several goroutines may
	// call it at once. What concerns the whole address goes to the one who has been mounted there for longest.
	OnError func(error)
}

// TLS of an address. The files are looked at again while it is open, so that a renewed certificate needs no restart.
type TLS struct {
	Enabled      bool
	CertFile     string // PEM, with the intermediate certificates behind the own one
	KeyFile      string // PEM
	ClientCAFile string // PEM; when set, clients must show a certificate that one of these has signed
}

// resolve fills in the defaults, writes the address in the one way by which it is known, and checks a path on it.
func (c Config) resolve(ctx context.Context, path string) (Config, error) {
	if !strings.HasPrefix(path, "/") {
		return c, fmt.Errorf("the path %q does not begin with a slash", path)
	}
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return c, err
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return c, err
	}
	if c.ReadHeaderTimeout < 0 || c.IdleTimeout < 0 || c.MaxHeaderBytes < 0 || c.MaxConns < 0 {
		return c, errors.New("a timeout or limit is negative")
	}
	if !c.TLS.Enabled {
		c.TLS = TLS{} // what the files are called matters to nobody
	}
	c.Address = net.JoinHostPort(host, strconv.Itoa(number))
	c.ReadHeaderTimeout = cmp.Or(c.ReadHeaderTimeout, 5*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 2*time.Minute)
	c.MaxHeaderBytes = cmp.Or(c.MaxHeaderBytes, 16<<10)
	c.MaxConns = cmp.Or(c.MaxConns, 1024)
	return c, nil
}

// agree compares what all who share an address have in common.
func (c Config) agree(with Config) error {
	for _, setting := range []struct {
		name         string
		ours, theirs any
	}{
		{"tls.enabled", c.TLS.Enabled, with.TLS.Enabled},
		{"tls.cert_file", c.TLS.CertFile, with.TLS.CertFile},
		{"tls.key_file", c.TLS.KeyFile, with.TLS.KeyFile},
		{"tls.client_ca_file", c.TLS.ClientCAFile, with.TLS.ClientCAFile},
		{"read_header_timeout", c.ReadHeaderTimeout, with.ReadHeaderTimeout},
		{"idle_timeout", c.IdleTimeout, with.IdleTimeout},
		{"max_header_bytes", c.MaxHeaderBytes, with.MaxHeaderBytes},
		{"max_conns", c.MaxConns, with.MaxConns},
	} {
		if setting.ours != setting.theirs {
			return fmt.Errorf("%s is %s here and %s where the address was opened: it must be the same for all who share an address",
				setting.name, inQuotes(setting.ours), inQuotes(setting.theirs))
		}
	}
	return nil
}

func inQuotes(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(value)
}
