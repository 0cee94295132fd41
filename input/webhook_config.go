package input

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/listen"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

const (
	// pipedriveWaits is how long Pipedrive waits for an answer.
	// https://pipedrive.readme.io/docs/guide-for-webhooks-v2
	pipedriveWaits = 10 * time.Second

	smallestJournal = int64(1 << 20)
)

// webhookConfig is what a user wrote, checked.
type webhookConfig struct {
	handler    webhook.Config // without what Connect makes: the acceptor, the deduper
	listen     listen.Config
	healthPath string // empty: none
	instanceID string
	journal    journalConfig
	dedupe     dedupeConfig

	registration *registrationConfig // nil: none
}

type journalConfig struct {
	path        string // empty: none
	maxBytes    int64
	maxAttempts int // 0: for ever
}

type dedupeConfig struct {
	enabled bool
	window  time.Duration
	cache   string // empty: in memory
}

type registrationConfig struct {
	connection   spec.Connection
	subscription webhook.SubscriptionConfig // without the client
}

func parseWebhookConfig(conf *service.ParsedConfig) (c webhookConfig, err error) {
	if err = c.parseListener(conf); err != nil {
		return
	}
	if err = c.parseHandler(conf); err != nil {
		return
	}
	if err = c.parseJournal(conf.Namespace(pwFieldJournal)); err != nil {
		return c, fmt.Errorf("%s.%w", pwFieldJournal, err)
	}
	if err = c.parseDedupe(conf.Namespace(pwFieldDedupe)); err != nil {
		return c, fmt.Errorf("%s.%w", pwFieldDedupe, err)
	}
	return c, c.parseRegistration(conf.Namespace(pwFieldRegistration))
}

func (c *webhookConfig) parseListener(conf *service.ParsedConfig) (err error) {
	if c.listen.Address, err = conf.FieldString(pwFieldAddress); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(c.listen.Address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%s: %q is not a host and port like 0.0.0.0:8080", pwFieldAddress, c.listen.Address)
	}
	if c.listen.ReadHeaderTimeout, err = spec.PositiveDuration(conf, pwFieldReadHeaderTimeout); err != nil {
		return err
	}
	t := conf.Namespace(pwFieldTLS)
	if c.listen.TLS.Enabled, err = t.FieldBool(pwFieldTLSEnabled); err != nil {
		return err
	}
	for field, into := range map[string]*string{
		pwFieldCertFile:     &c.listen.TLS.CertFile,
		pwFieldKeyFile:      &c.listen.TLS.KeyFile,
		pwFieldClientCAFile: &c.listen.TLS.ClientCAFile,
	} {
		if *into, err = t.FieldString(field); err != nil {
			return err
		}
	}
	if c.listen.TLS.Enabled && (c.listen.TLS.CertFile == "" || c.listen.TLS.KeyFile == "") {
		return fmt.Errorf("%[1]s.%[2]s, %[1]s.%[3]s: both must be set when %[1]s.%[4]s is true", pwFieldTLS, pwFieldCertFile, pwFieldKeyFile, pwFieldTLSEnabled)
	}
	return nil
}

func (c *webhookConfig) parseHandler(conf *service.ParsedConfig) (err error) {
	h := &c.handler
	if err = c.parsePaths(conf); err != nil {
		return err
	}
	if h.Credentials, err = parseCredentials(conf); err != nil {
		return err
	}
	if h.AllowedIPs, err = parsePrefixes(conf, pwFieldAllowedIPs); err != nil {
		return err
	}
	if h.TrustedProxies, err = parsePrefixes(conf, pwFieldTrustedProxies); err != nil {
		return err
	}
	if h.MaxBodySize, err = parseSize(conf, pwFieldMaxBodySize); err != nil {
		return err
	}
	if h.MaxBodySize > webhook.BodiesTogether {
		return fmt.Errorf("%s: %s is more than the %s that all bodies have together", pwFieldMaxBodySize, inBytes(h.MaxBodySize), inBytes(webhook.BodiesTogether))
	}
	if h.ResponseTimeout, err = spec.PositiveDuration(conf, pwFieldResponseTimeout); err != nil {
		return err
	}
	if h.ResponseTimeout >= pipedriveWaits {
		return fmt.Errorf("%s: %v is not under %v, the time that Pipedrive waits", pwFieldResponseTimeout, h.ResponseTimeout, pipedriveWaits)
	}
	if h.MaxInFlight, err = conf.FieldInt(pwFieldMaxInFlight); err != nil {
		return err
	}
	if h.MaxInFlight < 1 {
		return fmt.Errorf("%s: %d is not at least 1", pwFieldMaxInFlight, h.MaxInFlight)
	}
	return nil
}

func (c *webhookConfig) parsePaths(conf *service.ParsedConfig) (err error) {
	path, err := conf.FieldString(pwFieldPath)
	if err != nil {
		return err
	}
	if err := checkPath(path); err != nil {
		return fmt.Errorf("%s: %w", pwFieldPath, err)
	}
	if c.instanceID, err = conf.FieldString(pwFieldInstanceID); err != nil {
		return err
	}
	c.handler.Path = webhook.InstancePath(path, c.instanceID)
	if c.healthPath, err = conf.FieldString(pwFieldHealthPath); err != nil || c.healthPath == "" {
		return err
	}
	if err := checkPath(c.healthPath); err != nil {
		return fmt.Errorf("%s: %w", pwFieldHealthPath, err)
	}
	if c.healthPath == c.handler.Path {
		return fmt.Errorf("%s: %q is the %s of the webhooks as well, it must be another", pwFieldHealthPath, c.healthPath, pwFieldPath)
	}
	return nil
}

// checkPath refuses what no request can have. A percent sign would be one of the path itself, not of an encoding.
func checkPath(path string) error {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#% \t\r\n") {
		return fmt.Errorf("%q is not a path like /events/pipedrive", path)
	}
	return nil
}

func parseCredentials(conf *service.ParsedConfig) ([]webhook.Credential, error) {
	list, err := conf.FieldObjectList(pwFieldCredentials)
	if err != nil {
		return nil, err
	}
	known := make([]webhook.Credential, len(list))
	for i, item := range list {
		if known[i].Username, err = item.FieldString(pwFieldUsername); err != nil {
			return nil, err
		}
		if known[i].Password, err = item.FieldString(pwFieldPassword); err != nil {
			return nil, err
		}
		if known[i].Username == "" || known[i].Password == "" {
			return nil, fmt.Errorf("%s[%d]: %s and %s must not be empty: is an environment variable unset?", pwFieldCredentials, i, pwFieldUsername, pwFieldPassword)
		}
		if strings.Contains(known[i].Username, ":") {
			return nil, fmt.Errorf("%s[%d].%s: HTTP Basic has no user names with a colon", pwFieldCredentials, i, pwFieldUsername)
		}
	}
	anonymous, err := conf.FieldBool(pwFieldAllowAnonymous)
	if err != nil {
		return nil, err
	}
	if len(known) == 0 && !anonymous {
		return nil, fmt.Errorf("%s: there are none, so anybody could send made-up events; add some, or set %s to true", pwFieldCredentials, pwFieldAllowAnonymous)
	}
	return known, nil
}

func parsePrefixes(conf *service.ParsedConfig, field string) ([]netip.Prefix, error) {
	list, err := conf.FieldStringList(field)
	if err != nil {
		return nil, err
	}
	prefixes := make([]netip.Prefix, len(list))
	for i, text := range list {
		if alone, err := netip.ParseAddr(text); err == nil {
			prefixes[i] = netip.PrefixFrom(alone.Unmap(), alone.Unmap().BitLen())
		} else if prefixes[i], err = netip.ParsePrefix(text); err != nil {
			return nil, fmt.Errorf("%s[%d]: %q is neither an address nor a CIDR range like 10.0.0.0/8", field, i, text)
		}
	}
	return prefixes, nil
}

func parseSize(conf *service.ParsedConfig, field string) (int64, error) {
	text, err := conf.FieldString(field)
	if err != nil {
		return 0, err
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n < 1 || n > 1<<50 {
		return 0, fmt.Errorf("%s: %q is not a size like 4MiB", field, text)
	}
	return int64(n), nil
}

func inBytes(n int64) string { return humanize.IBytes(uint64(n)) }

func (c *webhookConfig) parseJournal(conf *service.ParsedConfig) (err error) {
	if c.journal.path, err = conf.FieldString(pwFieldJournalPath); err != nil {
		return err
	}
	if c.journal.maxBytes, err = parseSize(conf, pwFieldMaxBytes); err != nil {
		return err
	}
	// What fits into no journal would be answered 503 for ever.
	if least := max(smallestJournal, 2*c.handler.MaxBodySize); c.journal.maxBytes < least {
		return fmt.Errorf("%s: %s is not at least %s: twice the %s, and no less than %s",
			pwFieldMaxBytes, inBytes(c.journal.maxBytes), inBytes(least), pwFieldMaxBodySize, inBytes(smallestJournal))
	}
	if c.journal.maxAttempts, err = conf.FieldInt(pwFieldMaxAttempts); err != nil {
		return err
	}
	if c.journal.maxAttempts < 0 {
		return fmt.Errorf("%s: %d is below 0", pwFieldMaxAttempts, c.journal.maxAttempts)
	}
	return nil
}

func (c *webhookConfig) parseDedupe(conf *service.ParsedConfig) (err error) {
	if c.dedupe.enabled, err = conf.FieldBool(pwFieldDedupeEnabled); err != nil {
		return err
	}
	if c.dedupe.window, err = spec.PositiveDuration(conf, pwFieldWindow); err != nil {
		return err
	}
	c.dedupe.cache, err = conf.FieldString(pwFieldCache)
	return err
}

func (c *webhookConfig) parseRegistration(conf *service.ParsedConfig) error {
	enabled, err := conf.FieldBool(pwFieldRegEnabled)
	if err != nil || !enabled {
		return err
	}
	r := &registrationConfig{}
	if r.connection, err = spec.ParseConnection(conf); err != nil {
		return fmt.Errorf("%s.%w", pwFieldRegistration, err)
	}
	s := &r.subscription
	public, err := conf.FieldString(pwFieldPublicURL)
	if err != nil {
		return err
	}
	if public == "" {
		return fmt.Errorf("%s.%s: is empty: is an environment variable unset?", pwFieldRegistration, pwFieldPublicURL)
	}
	s.URL = strings.TrimSuffix(public, "/") + (&url.URL{Path: c.handler.Path}).EscapedPath()
	if s.Events, err = conf.FieldStringList(pwFieldEvents); err != nil {
		return err
	}
	for field, into := range map[string]*string{pwFieldName: &s.Name, pwFieldVersion: &s.Version, pwFieldUserID: &s.UserID} {
		if *into, err = conf.FieldString(field); err != nil {
			return err
		}
	}
	if s.CheckInterval, err = spec.PositiveDuration(conf, pwFieldCheckInterval); err != nil {
		return fmt.Errorf("%s.%w", pwFieldRegistration, err)
	}
	if s.RemoveOnShutdown, err = conf.FieldBool(pwFieldRemoveOnShutdown); err != nil {
		return err
	}
	if len(c.handler.Credentials) > 0 {
		s.Username, s.Password = c.handler.Credentials[0].Username, c.handler.Credentials[0].Password
	}
	c.registration = r
	return s.Check()
}
