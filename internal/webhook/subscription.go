package webhook

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// SubscriptionConfig says which webhooks Pipedrive shall have, for one door. Check says whether it can be used.
type SubscriptionConfig struct {
	Client *pipedrive.Client
	URL    string // where Pipedrive finds the door, absolute, its path included
	// Name marks a webhook as ours, together with URL. All others are never touched.
	Name    string
	Version string   // of the webhooks: 1.0 or 2.0; empty: 2.0
	UserID  string   // whose view of the account is sent, digits; empty: the credential's, and any is taken for right
	Events  []string // action.object, each may be *; a word of the object's that Pipedrive does not know it refuses

	Username, Password string // sent with each delivery by HTTP Basic; both empty: none

	CheckInterval    time.Duration // between two looks at Pipedrive's list; 0: 5 minutes
	RemoveOnShutdown bool          // Stop removes what is ours, other replicas' too: they are the same webhooks

	Log      pipedrive.Logger     // may be nil
	Observer SubscriptionObserver // may be nil
}

// What holds when nothing else is configured, for the door and for the command alike: they must agree on what is ours.
const (
	DefaultSubscriptionName    = "benthos-pipedrive"
	DefaultSubscriptionVersion = "2.0"
	DefaultCheckInterval       = 5 * time.Minute
)

// SubscriptionObserver counts what the care of subscriptions does. Its methods must not block.
type SubscriptionObserver interface {
	// Subscribed is how many of the wanted subscriptions were in order at the end of a look.
	Subscribed(n int)
	// Repaired is one change that was made.
	Repaired(c Change)
	// LookFailed is a look that did not come to its end; it is repeated.
	LookFailed()
}

// Repair is what was done. Its text is the value of a metric's label, as is a Reason's.
type Repair string

// The repairs.
const (
	RepairCreated   Repair = "created"
	RepairRecreated Repair = "recreated" // created for one that is of no use any more, which is removed then
	RepairRemoved   Repair = "removed"
)

// Reason is why it was done.
type Reason string

// The reasons.
const (
	ReasonMissing   Reason = "missing"   // there was none
	ReasonVanished  Reason = "vanished"  // there is none any more: somebody removed it, or three days without a success
	ReasonInactive  Reason = "inactive"  // Pipedrive banned it: ten first tries failed
	ReasonRefused   Reason = "refused"   // the last delivery was answered 401: it carries other credentials
	ReasonVersion   Reason = "version"   // it sends another version
	ReasonUser      Reason = "user"      // it sends another user's view
	ReasonOutdated  Reason = "outdated"  // it carries credentials that are good, but no longer the first
	ReasonDuplicate Reason = "duplicate" // there is an older one like it
	ReasonUnwanted  Reason = "unwanted"  // its event is not wanted
	ReasonAsked     Reason = "asked"     // ours are to be removed
)

// Change is one repair, done or, in a preview, to be done.
type Change struct {
	Repair  Repair
	Reason  Reason
	Event   string   // action.object
	ID      string   // of the webhook that was created or removed; of one to be created ""
	Instead []string // ids of what a RepairRecreated replaces
}

// Report is what a look found and did.
type Report struct {
	Changes []Change
	InOrder []pipedrive.Webhook // one for each wanted event that is sent, at the end of the look
	Total   int                 // webhooks of the account that the credential sees, ours and others
}

// ConfigError names the field that cannot be used.
type ConfigError struct {
	Field string // as it is typed under registration: events, name, ...
	Text  string // what came and what is allowed
}

func (e *ConfigError) Error() string { return "registration." + e.Field + ": " + e.Text }

// The actions of the two versions. https://pipedrive.readme.io/docs/guide-for-webhooks-v2
var subscriptionActions = map[string][]string{
	"1.0": {"added", "updated", "deleted", "merged", "*"},
	"2.0": {"create", "change", "delete", "*"},
}

var (
	objectWord = regexp.MustCompile(`^(?:\*|[A-Za-z][0-9A-Za-z_]{0,63})$`)
	idWord     = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
)

const longestName = 255 // characters

// Check returns a ConfigError for the first field that cannot be used.
func (c *SubscriptionConfig) Check() error {
	if err := c.checkOwn(); err != nil {
		return err
	}
	version := cmp.Or(c.Version, DefaultSubscriptionVersion)
	if subscriptionActions[version] == nil {
		return &ConfigError{"version", fmt.Sprintf(`%q came, it must be "1.0" or "2.0"`, c.Version)}
	}
	if c.UserID != "" && !idWord.MatchString(c.UserID) {
		return &ConfigError{"user_id", fmt.Sprintf("%q came, it must be the number of a user", c.UserID)}
	}
	if c.CheckInterval < 0 {
		return &ConfigError{"check_interval", fmt.Sprintf("%v came, it must be more than 0", c.CheckInterval)}
	}
	if len(c.Events) == 0 {
		return &ConfigError{"events", "is empty, want at least one such as *.* or change.deal"}
	}
	for _, event := range c.Events {
		if _, err := parseTopic(event, version); err != nil {
			return &ConfigError{"events", err.Error()}
		}
	}
	return nil
}

// fill puts the defaults where nothing was said.
func (c *SubscriptionConfig) fill() {
	c.Version = cmp.Or(c.Version, DefaultSubscriptionVersion)
	c.CheckInterval = cmp.Or(c.CheckInterval, DefaultCheckInterval)
	if c.Log == nil {
		c.Log = unheard{}
	}
	if c.Observer == nil {
		c.Observer = unheard{}
	}
}

// checkOwn checks what marks a webhook as ours.
func (c *SubscriptionConfig) checkOwn() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return &ConfigError{"public_url", "is not a URL, want an absolute one such as https://hooks.example.com"}
	case u.User != nil:
		return &ConfigError{"public_url", "holds credentials, which belong into credentials"}
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return &ConfigError{"public_url", "holds a query or a fragment"}
	case c.Name != strings.TrimSpace(c.Name) || c.Name == "":
		return &ConfigError{"name", fmt.Sprintf("%q came, it must not be empty, nor begin or end with a blank", c.Name)}
	case utf8.RuneCountInString(c.Name) > longestName:
		return &ConfigError{"name", fmt.Sprintf("has %d characters, at most %d are allowed", utf8.RuneCountInString(c.Name), longestName)}
	}
	return nil
}

// Owns tells whether a webhook is ours, and whether at least its name is: one that was made for another URL, which the
// door may have had before.
func (c *SubscriptionConfig) Owns(w pipedrive.Webhook) (ours, named bool) {
	want := wanted{url: c.URL, name: c.Name}
	return want.owns(w), want.named(w)
}

// topic is what one subscription is about.
type topic struct{ action, object string }

func (t topic) String() string { return t.action + "." + t.object }

// parseTopic reads action.object in the words of a version.
func parseTopic(event, version string) (topic, error) {
	action, object, _ := strings.Cut(event, ".")
	for _, known := range subscriptionActions[version] {
		if action == known && objectWord.MatchString(object) {
			return topic{action, object}, nil
		}
	}
	return topic{}, fmt.Errorf("%q came, want action.object such as %s.deal, with the action one of %s (version %s) and the object a word such as deal_product, or *",
		event, subscriptionActions[version][0], strings.Join(subscriptionActions[version], ", "), version)
}

// unheard logs and counts nothing.
type unheard struct{}

func (unheard) Warnf(string, ...any)  {}
func (unheard) Infof(string, ...any)  {}
func (unheard) Debugf(string, ...any) {}
func (unheard) Subscribed(int)        {}
func (unheard) Repaired(Change)       {}
func (unheard) LookFailed()           {}
