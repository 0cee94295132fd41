// Package spec holds the configuration that several components share, its parsing, and what it becomes: a client, a
// token store, metrics. With the components themselves it is the only room that knows the host.
package spec

import (
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

const (
	spFieldBaseURL       = "base_url"
	spFieldAPIToken      = "api_token"
	spFieldTimeout       = "timeout"
	spFieldDailyShare    = "daily_token_share"
	spFieldProbeInterval = "budget_probe_interval"

	spFieldOAuth         = "oauth2"
	spFieldClientID      = "client_id"
	spFieldClientSecret  = "client_secret"
	spFieldRefreshToken  = "refresh_token"
	spFieldTokenURL      = "token_url"
	spFieldTokenCache    = "token_cache"
	spFieldTokenCacheKey = "token_cache_key"
)

// ConnectionFields are the fields of whatever asks Pipedrive.
func ConnectionFields() []*service.ConfigField {
	return append(requestFields(), TransportFields()...)
}

func requestFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField(spFieldAPIToken).
			Description("The personal API token of the user whose view of the account is read (Pipedrive: _Company settings > Personal preferences > API_). It is sent in the `x-api-token` header, never in a URL. Regenerating it in Pipedrive ends every integration that uses it. Exactly one of `api_token` and `oauth2` must be set.").
			Secret().
			Default("").
			Example("${PIPEDRIVE_API_TOKEN}"),
		oauthField(),
		service.NewStringField(spFieldBaseURL).
			Description("Where the API is: this host for all companies, that of one company (`https://acme.pipedrive.com`), or the simulator (`benthos-pipedrive simulate`). With `oauth2` the default means the `api_domain` that Pipedrive answers with the access token. The credential is sent to this host only; redirects are not followed.").
			Default(pipedrive.DefaultBaseURL).
			Example("https://acme.pipedrive.com").
			Example("http://127.0.0.1:7878"),
		service.NewDurationField(spFieldTimeout).
			Description("How long one request may take, its body included. A request that takes longer counts as a network error and is tried again.").
			Default("30s"),
		service.NewFloatField(spFieldDailyShare).
			Description("The part of the company's daily token budget that this process may spend, above 0 and up to 1. Pipedrive gives a company 30,000 tokens a day times its plan and seats, shared by all its integrations; when they are spent, everything stops until midnight. Reading is paced from the start so that this share lasts: an interval becomes the seconds until the reset times the cost of a cycle, divided by the tokens left, when that is longer. Components of one process that read one company count together, and the smallest of their shares holds.").
			Default(0.5).
			LintRule(`root = if this <= 0 || this > 1 { ["must be above 0 and at most 1"] }`),
		service.NewDurationField(spFieldProbeInterval).
			Description("How often a spent daily budget is tried again when Pipedrive does not say when it will be reset. When it does (`Retry-After`), that is obeyed.").
			Default("15m").
			Advanced(),
	}
}

func oauthField() *service.ConfigField {
	return service.NewObjectField(
		spFieldOAuth,
		service.NewStringField(spFieldClientID).
			Description("The client id of the app, from the Developer Hub.").
			Default(""),
		service.NewStringField(spFieldClientSecret).
			Description("The client secret of the app.").
			Secret().
			Default(""),
		service.NewStringField(spFieldRefreshToken).
			Description("The refresh token that the installation of the app gave. It expires after 60 days without use.").
			Secret().
			Default(""),
		service.NewStringField(spFieldTokenURL).
			Description("Where access tokens are issued.").
			Default(pipedrive.DefaultTokenURL).
			Advanced(),
		service.NewStringField(spFieldTokenCache).
			Description("The label of a cache resource that keeps the newest refresh token over restarts. Pipedrive may answer a refresh with another refresh token and take only that one from then on: without a cache that token is lost when the process ends, and the app may have to be installed again. A kept token counts only while it descends from the configured `refresh_token`; configuring a new one starts afresh.").
			Default("").
			Example("state"),
		service.NewStringField(spFieldTokenCacheKey).
			Description("The key in `token_cache`. Every installation needs its own.").
			Default("pipedrive_oauth2").
			Advanced(),
	).
		Description("The credential of an app that was installed in the account. Access tokens are refreshed before they expire.")
}

// Connection is how a component asks Pipedrive.
type Connection struct {
	config        pipedrive.Config
	tokenCache    string
	tokenCacheKey string
	ProbeInterval time.Duration
}

// ParseConnection reads ConnectionFields. What it refuses stops the program.
func ParseConnection(conf *service.ParsedConfig) (Connection, error) {
	var c Connection
	var err error
	if c.config.APIToken, err = conf.FieldString(spFieldAPIToken); err != nil {
		return c, err
	}
	if c.config.BaseURL, err = conf.FieldString(spFieldBaseURL); err != nil {
		return c, err
	}
	if c.config.Timeout, err = PositiveDuration(conf, spFieldTimeout); err != nil {
		return c, err
	}
	if c.config.DailyShare, err = conf.FieldFloat(spFieldDailyShare); err != nil {
		return c, err
	}
	if c.ProbeInterval, err = PositiveDuration(conf, spFieldProbeInterval); err != nil {
		return c, err
	}
	c.config.ProbeInterval = c.ProbeInterval
	if err := c.parseOAuth(conf.Namespace(spFieldOAuth)); err != nil {
		return c, err
	}
	if c.config.OAuth != nil && c.config.BaseURL == pipedrive.DefaultBaseURL {
		c.config.BaseURL = "" // the token answer knows better
	}
	if c.config.Transport, err = ParseTransport(conf); err != nil {
		return c, err
	}
	return c, nil
}

func (c *Connection) parseOAuth(conf *service.ParsedConfig) error {
	o := &pipedrive.OAuth{}
	for _, f := range []struct {
		field string
		into  *string
	}{
		{spFieldClientID, &o.ClientID},
		{spFieldClientSecret, &o.ClientSecret},
		{spFieldRefreshToken, &o.RefreshToken},
		{spFieldTokenURL, &o.TokenURL},
		{spFieldTokenCache, &c.tokenCache},
		{spFieldTokenCacheKey, &c.tokenCacheKey},
	} {
		text, err := conf.FieldString(f.field)
		if err != nil {
			return err
		}
		*f.into = text
	}
	if o.ClientID != "" || o.ClientSecret != "" || o.RefreshToken != "" {
		c.config.OAuth = o
	}
	return nil
}

// NewClient makes the client of one component. Close gives it back.
func (c Connection) NewClient(res *service.Resources) (*pipedrive.Client, error) {
	config := c.config
	config.UserAgent = UserAgent(res)
	config.Shared = shared(res)
	config.Observer = newClientMetrics(res)
	config.Log = res.Logger()
	if config.OAuth != nil {
		oauth := *config.OAuth
		if c.tokenCache != "" {
			oauth.Store = tokenStore{res: res, cache: c.tokenCache, key: c.tokenCacheKey}
		}
		config.OAuth = &oauth
	}
	return pipedrive.New(config)
}

// sharedKey finds what the components of one process count together among the host's generic resources.
type sharedKey struct{}

func shared(res *service.Resources) *pipedrive.Shared {
	s, _ := res.GetOrSetGeneric(sharedKey{}, pipedrive.NewShared())
	return s.(*pipedrive.Shared)
}

// PositiveDuration reads a duration field and refuses zero and less.
func PositiveDuration(conf *service.ParsedConfig, field string) (time.Duration, error) {
	d, err := conf.FieldDuration(field)
	if err != nil {
		return 0, fmt.Errorf("%w; want a number with its unit, like 30s, 15m or 1h30m", err)
	}
	if d <= 0 {
		return 0, fmt.Errorf("%s: %v is not above zero", field, d)
	}
	return d, nil
}
