package output

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// callbackConfig is what a user wrote, checked.
type callbackConfig struct {
	engine      callback.Config             // without what belongs to the process: user agent, observer
	messageID   *service.InterpolatedString // nil: the event's id
	headers     map[string]*service.InterpolatedString
	maxInFlight int
	batching    service.BatchPolicy
}

func parseCallbackConfig(conf *service.ParsedConfig) (c callbackConfig, err error) {
	if c.engine.URL, err = conf.FieldString(pcFieldURL); err != nil {
		return
	}
	if c.engine.Signer, err = parseSigner(conf.Namespace(pcFieldSignature)); err != nil {
		return c, fmt.Errorf("%s.%w", pcFieldSignature, err)
	}
	if c.engine.Timeout, err = conf.FieldDuration(pcFieldTimeout); err != nil {
		return
	}
	if c.engine.Retry, err = parseRetry(conf.Namespace(pcFieldRetry)); err != nil {
		return
	}
	if err = c.parseBasicAuth(conf.Namespace(pcFieldBasicAuth)); err != nil {
		return c, fmt.Errorf("%s.%w", pcFieldBasicAuth, err)
	}
	if err = c.parseMessageID(conf); err != nil {
		return
	}
	if c.headers, err = conf.FieldInterpolatedStringMap(pcFieldHeaders); err != nil {
		return
	}
	if c.maxInFlight, err = conf.FieldInt(pcFieldMaxInFlight); err != nil {
		return
	}
	if c.maxInFlight < 1 {
		return c, fmt.Errorf("%s: %d is not at least 1", pcFieldMaxInFlight, c.maxInFlight)
	}
	if c.batching, err = conf.FieldBatchPolicy(pcFieldBatching); err != nil {
		return
	}
	return c, c.parseTransport(conf)
}

func parseSigner(conf *service.ParsedConfig) (*callback.Signer, error) {
	scheme, err := conf.FieldString(pcFieldScheme)
	if err != nil {
		return nil, err
	}
	keys, err := conf.FieldStringList(pcFieldKeys)
	if err != nil {
		return nil, err
	}
	return callback.NewSigner(callback.Scheme(scheme), keys)
}

func parseRetry(conf *service.ParsedConfig) (r callback.Retry, err error) {
	if r.MaxAttempts, err = conf.FieldInt(pcFieldMaxAttempts); err != nil {
		return
	}
	if r.InitialInterval, err = conf.FieldDuration(pcFieldInitialInterval); err != nil {
		return
	}
	if r.Multiplier, err = conf.FieldFloat(pcFieldMultiplier); err != nil {
		return
	}
	r.MaxInterval, err = conf.FieldDuration(pcFieldMaxInterval)
	return
}

func (c *callbackConfig) parseBasicAuth(conf *service.ParsedConfig) error {
	enabled, err := conf.FieldBool(pcFieldEnabled)
	if err != nil || !enabled {
		return err
	}
	if c.engine.Username, err = conf.FieldString(pcFieldUsername); err != nil {
		return err
	}
	if c.engine.Password, err = conf.FieldString(pcFieldPassword); err != nil {
		return err
	}
	if cmp.Or(c.engine.Username, c.engine.Password) == "" {
		return fmt.Errorf("%s, %s: both are empty: is an environment variable unset?", pcFieldUsername, pcFieldPassword)
	}
	return nil
}

func (c *callbackConfig) parseMessageID(conf *service.ParsedConfig) error {
	text, err := conf.FieldString(pcFieldMessageID)
	if err != nil || text == "" {
		return err
	}
	c.messageID, err = conf.FieldInterpolatedString(pcFieldMessageID)
	return err
}

func (c *callbackConfig) parseTransport(conf *service.ParsedConfig) error {
	transport, err := spec.ParseTransport(conf)
	if err != nil {
		return err
	}
	withTLS, err := conf.FieldBool(spec.FieldTLS, pcFieldEnabled)
	if err != nil {
		return err
	}
	if withTLS && strings.HasPrefix(strings.ToLower(c.engine.URL), "http://") {
		return errors.New("url, tls: the url is http, so nothing of tls would hold; make it https, or leave tls.enabled false")
	}
	// One connection for each request that may be under way, instead of a new one for all beyond a few.
	transport.MaxIdleConnsPerHost = max(transport.MaxIdleConnsPerHost, c.maxInFlight)
	transport.MaxIdleConns = max(transport.MaxIdleConns, c.maxInFlight)
	c.engine.Transport = transport
	return nil
}

func (c *callbackConfig) newClient(res *service.Resources) (*callback.Client, error) {
	engine := c.engine
	engine.UserAgent = spec.UserAgent(res)
	engine.Observer = newCallbackWatch(res)
	client, err := callback.New(engine)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for name, value := range c.headers {
		if err := client.CheckHeader(name); err != nil {
			return nil, fmt.Errorf("%s: %w", pcFieldHeaders, err)
		}
		if text, static := value.Static(); static {
			if err := callback.CheckHeaderValue(text); err != nil {
				return nil, fmt.Errorf("%s.%s: %w", pcFieldHeaders, name, err)
			}
		}
		canonical := http.CanonicalHeaderKey(name)
		if seen[canonical] {
			return nil, fmt.Errorf("%s: %s is there twice", pcFieldHeaders, canonical)
		}
		seen[canonical] = true
	}
	return client, nil
}

// known are the headers whose values stand in the configuration, and the names of those that only a message has.
func (c *callbackConfig) known() (header http.Header, unknown []string) {
	header = http.Header{}
	for name, value := range c.headers {
		if text, static := value.Static(); static {
			header.Set(name, text)
		} else {
			unknown = append(unknown, http.CanonicalHeaderKey(name))
		}
	}
	slices.Sort(unknown)
	return header, unknown
}
