package simulator

import (
	"cmp"
	"time"
)

// Options says which account is played. The zero value is the account as it is born: its users, one pipeline with
// its stages and the activity types, and nothing else.
type Options struct {
	// Seed decides every seeded value, and the token.
	Seed uint64

	// How many records there are at the beginning.
	Deals, Persons, Organizations, Activities, Products int
	Leads, Notes, Files, CallLogs, Projects, Tasks      int
	// As above; 0 is what an account is born with (3, 1, 5 and 6), a negative number is none.
	Users, Pipelines, Stages, ActivityTypes int

	// NoCustomFields is an account in which nobody has defined one: custom_fields is null.
	NoCustomFields bool

	Token         string // the API token of user 1; default: 40 hex digits of the seed
	CompanyID     int64  // default 10400001
	CompanyDomain string // the first word of the company's host; default acme-sandbox

	OAuth OAuth

	// DailyBudget is in tokens: 0 is 150,000, a negative number is unlimited and sends no daily headers.
	DailyBudget int
	// ResetZone is where midnight refills the budget; default UTC.
	ResetZone *time.Location
	// Burst is how many requests an API token may make in two seconds, an OAuth token four times as many: 0 is 100,
	// a negative number is unlimited and sends no burst headers.
	Burst int
	// BlockAfter is how many 429 an API token may ignore before Cloudflare blocks it for BlockFor: 0 is 50 and ten
	// minutes, a negative number is never.
	BlockAfter int
	BlockFor   time.Duration

	// CachePages keeps every list page that was rendered until the next write or Advance, for benchmarks. It costs
	// the memory of those pages.
	CachePages bool
	// CloseConnections ends each connection with its first answer: on one that has served before, net/http's client
	// repeats by itself what is reset, and nobody counts that.
	CloseConnections bool
	// RequestLog is how many requests Requests remembers; default 10,000.
	RequestLog int

	// SendAtOnce is how many requests of one webhook may be under way; default 8.
	SendAtOnce int
	// AnswerLimit is how long the receiver of a webhook may take; default 10 s. It is not shortened by Advance, which
	// the receiver knows nothing of.
	AnswerLimit time.Duration
	// DeliveryLog is how many deliveries Deliveries remembers; default 100,000. Pending ones are never forgotten.
	DeliveryLog int

	Quirks Quirks
}

// OAuth is the app through which OAuth clients come in. An app that is not given at all is made of the seed.
type OAuth struct {
	ClientID, ClientSecret string
	RefreshToken           string
	ExpiresIn              time.Duration // of an access token, in whole seconds; default one hour
	// Rotate gives another refresh token with each refresh and refuses the one before; else the same comes back.
	Rotate bool
}

// Quirks are the places where accounts, endpoints and years differ from each other. The zero value is what was
// recorded most often.
type Quirks struct {
	// APIHost plays api.pipedrive.com instead of the company's own host: some /api/v1 paths are 404 there.
	APIHost bool

	NullUpdateTime         bool // a new record has update_time null until its first change
	AddTimeEarlier         bool // a new record has add_time one second before update_time
	ArchiveKeepsUpdateTime bool // archiving and unarchiving do not move update_time
	DeletedKeepsStatus     bool // a deleted deal keeps its last status, only is_deleted says so
	DeletedNotFound        bool // a deleted v2 record is 404 at once, not only after 30 days

	NoLastCursor       bool // v2: the last page has no next_cursor, instead of null
	NullAdditionalData bool // v2: the last page has additional_data null
	NullData           bool // v1: an empty page has data null, instead of []
	FlatLeadPaging     bool // v1 leads: start, limit and more_items_in_collection directly in additional_data
	OldestCallsFirst   bool // call logs come oldest first

	NoRetryAfter    bool // the daily 429 does not say when to come back
	BurstRetryAfter bool // the burst 429 does

	CheckURLs        bool // a new webhook's URL is called: it must answer, and not with a redirect
	SuccessResetsBan bool // a success sets the ban counter of its webhook to 0
	BanStopsRetries  bool // the ban also loses the events from before it that wait for another try
	NewHasUpdateTime bool // webhooks 2.0 of a new deal have its update_time, instead of null
	NoUnsetFields    bool // webhooks 2.0 leave custom fields without a value out, instead of null

	SendOutOfOrder bool          // events are sent in any order; else those of one record one after the other
	SendTwice      bool          // every event is sent twice
	SendDelay      time.Duration // how long after the event it is sent
}

// withDefaults resolves every zero that means something else.
func (o Options) withDefaults() Options {
	o.Users = born(o.Users, 3)
	o.Pipelines = born(o.Pipelines, 1)
	o.Stages = born(o.Stages, 5)
	o.ActivityTypes = born(o.ActivityTypes, 6)

	o.Token = cmp.Or(o.Token, hex(o.Seed, "token", 0, 40))
	o.CompanyID = cmp.Or(o.CompanyID, 10400001)
	o.CompanyDomain = cmp.Or(o.CompanyDomain, "acme-sandbox")
	o.OAuth.ClientID = cmp.Or(o.OAuth.ClientID, hex(o.Seed, "client", 0, 16))
	o.OAuth.ClientSecret = cmp.Or(o.OAuth.ClientSecret, hex(o.Seed, "secret", 0, 40))
	o.OAuth.RefreshToken = cmp.Or(o.OAuth.RefreshToken, refreshToken(o.Seed, o.CompanyID, 0))
	o.OAuth.ExpiresIn = cmp.Or(o.OAuth.ExpiresIn, time.Hour)

	o.DailyBudget = cmp.Or(o.DailyBudget, 150_000)
	o.Burst = cmp.Or(o.Burst, 100)
	o.BlockAfter = cmp.Or(o.BlockAfter, 50)
	o.BlockFor = cmp.Or(o.BlockFor, 10*time.Minute)
	if o.ResetZone == nil {
		o.ResetZone = time.UTC
	}
	o.RequestLog = max(cmp.Or(o.RequestLog, 10_000), 1)
	o.SendAtOnce = max(cmp.Or(o.SendAtOnce, 8), 1)
	o.AnswerLimit = cmp.Or(o.AnswerLimit, 10*time.Second)
	o.DeliveryLog = max(cmp.Or(o.DeliveryLog, 100_000), 1)
	return o
}

func born(given, usual int) int { return max(cmp.Or(given, usual), 0) }
