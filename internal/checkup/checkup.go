// Package checkup looks at what a configuration needs of the world before it runs and while it does: whether Pipedrive
// lets it in, what its budget allows, which objects and webhooks are there, whether its files and caches can be written,
// whether an application answers that events are posted to. It changes nothing but a key of its own in each cache, and
// posts nothing. It knows no host and prints nothing.
package checkup

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// Config is what is checked: the components of ours in a configuration.
type Config struct {
	Polls     []Poll
	Doors     []Door
	Resolvers []Reader // ask for the names of custom fields
	Callbacks []Callback

	// Probe writes a key to a cache resource, reads it and removes it. ErrHeld: another process has it to itself. ErrNoCache:
	// there is none of that label.
	Probe func(ctx context.Context, cache string) error
	// Running asks the process that runs the configuration, if one does. nil: there is no way to ask.
	Running func(ctx context.Context) (Running, error)
}

// ErrHeld is why a cache or a journal cannot be looked at while another process has it to itself.
var ErrHeld = errors.New("another process holds it")

// ErrNoCache is why a cache cannot be looked at that a component names and nobody configures.
var ErrNoCache = errors.New("there is no cache resource with the label")

// Where is where a component stands.
type Where struct {
	Name   string // for people: its label, else its path; with its file where there are several
	Label  string // as its metrics have it, as is Path
	Path   string // root.input, ...
	Stream string // of the host's streams mode; empty: none
}

// Reader is a component that asks Pipedrive.
type Reader struct {
	Where
	Client     *pipedrive.Client
	OAuth      bool
	TokenCache string // label of the cache for refresh tokens; empty: none
}

// Poll is a pipedrive_poll.
type Poll struct {
	Reader
	Objects          []entity.Object
	Interval         time.Duration
	FullReadInterval time.Duration
	StartFrom        string
	Cache            string // label of the cache for the checkpoint; empty: none
	// Load reads the checkpoint, and refuses one that is damaged or, if the account is known, of another.
	Load func(ctx context.Context, account *cursor.Account) (Checkpoint, error)
}

// Checkpoint is how far reading has come.
type Checkpoint struct {
	Books     cursor.Books
	Positions map[string]*cursor.Position // by object; none: not yet begun
}

// Door is a pipedrive_webhook.
type Door struct {
	Where
	Journal      string // path; empty: none
	Cache        string // label of the cache for duplicates; empty: none
	Registration *Registration
}

// Registration is the care of a door's subscriptions.
type Registration struct {
	Reader
	Subscription webhook.SubscriptionConfig // with the client
}

// Callback is a pipedrive_callback.
type Callback struct {
	Where
	Client   *callback.Client
	Header   http.Header // that every message has
	Unknown  []string    // headers whose values only a message has
	Replayed bool        // what the receiver refuses is replayed for ever
}

// places are where the components stand.
func (c *Config) places() (all []Where) {
	for _, p := range c.Polls {
		all = append(all, p.Where)
	}
	for _, d := range c.Doors {
		all = append(all, d.Where)
	}
	for _, r := range c.Resolvers {
		all = append(all, r.Where)
	}
	for _, b := range c.Callbacks {
		all = append(all, b.Where)
	}
	return all
}

// State is how a line stands.
type State string

// The states. Of a Problem something does not work, or will not when the pipeline runs.
const (
	OK      State = "ok"
	Warning State = "warning"
	Problem State = "problem"
)

// The words for what was looked at.
const (
	AboutProcess    = "process"
	AboutCredential = "credential"
	AboutClock      = "clock"
	AboutBudget     = "budget"
	AboutBurst      = "burst"
	AboutPlan       = "plan"
	AboutObject     = "object"
	AboutWebhook    = "webhook"
	AboutCache      = "cache"
	AboutCheckpoint = "checkpoint"
	AboutJournal    = "journal"
	AboutCallback   = "callback"
)

// Line is what was found out about one thing.
type Line struct {
	State   State
	About   string // one of the words above
	Where   string // names of the components that need it; empty: the whole configuration
	Subject string // the object, event, cache or path; empty where there is only one
	Found   string
	Remedy  string // what to do; empty when it is OK
}

// Report is what a check found.
type Report struct {
	Lines    []Line
	Accounts []Account
	Tokens   int64 // of the daily budget that the check itself has spent
}

// Account is a company that let at least one credential in, and what is planned with its budget.
type Account struct {
	CompanyID   string
	CompanyName string
	Host        string
	Limits      pipedrive.Limits // Burst is that of its first credential
	Planned     float64          // tokens a day, when nothing changes
	Stretch     float64          // by how much the intervals have to be longer for the share to last; at least 1
	Objects     []Object
}

// Object is one that is polled.
type Object struct {
	Where     string
	Name      string
	Interval  time.Duration
	Effective time.Duration // what the budget allows
	Tokens    float64       // a day, at Interval
	Readable  bool
}

// Count tells how many lines stand so.
func (r *Report) Count(s State) (n int) {
	for _, l := range r.Lines {
		if l.State == s {
			n++
		}
	}
	return n
}
