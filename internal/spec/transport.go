package spec

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// FieldTLS is an object; its field `enabled` says whether it holds.
const FieldTLS = "tls"

const spFieldProxyURL = "proxy_url"

// proxySchemes are those that the standard transport speaks. https://pkg.go.dev/net/http#Transport
var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

// TransportFields are the fields of whatever sends requests.
func TransportFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewTLSToggledField(FieldTLS),
		service.NewStringField(spFieldProxyURL).
			Description("An HTTP proxy for all requests. Empty means what the environment says (`HTTPS_PROXY`, `NO_PROXY`).").
			Secret().
			Default("").
			Advanced().
			Example("http://proxy.internal:3128"),
	}
}

// ParseTransport reads TransportFields.
func ParseTransport(conf *service.ParsedConfig) (*http.Transport, error) {
	transport := pipedrive.NewTransport()
	tlsConf, enabled, err := conf.FieldTLSToggled(FieldTLS)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", FieldTLS, err)
	}
	if enabled {
		transport.TLSClientConfig = tlsConf
	}
	proxy, err := conf.FieldString(spFieldProxyURL)
	if err != nil {
		return nil, err
	}
	if proxy != "" {
		u, err := url.Parse(proxy)
		if err != nil || u.Host == "" || !slices.Contains(proxySchemes, u.Scheme) {
			// The value may hold a password: it is not repeated.
			return nil, fmt.Errorf("%s: not a URL with a host, like http://proxy.internal:3128 (or https, socks5, socks5h)", spFieldProxyURL)
		}
		transport.Proxy = http.ProxyURL(u)
	}
	return transport, nil
}

// UserAgent names this program and its version to those it sends requests to.
func UserAgent(res *service.Resources) string { return "benthos-pipedrive/" + version(res) }

// version is that of this module in the build that holds it; in a checkout of our own, where it has none, that which
// the binary was stamped with.
func version(res *service.Resources) string {
	const ours = "github.com/benthos-pipedrive/benthos-pipedrive"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == ours && m.Replace == nil && m.Version != "" && m.Version != "(devel)" {
				return m.Version
			}
		}
	}
	return cmp.Or(res.EngineVersion(), "dev")
}
