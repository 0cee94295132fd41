package simulator

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Simulator is one company's account. Its methods may be called from many goroutines and while requests are served.
type Simulator struct {
	opts  Options
	front *front
	clock *clock

	mu        sync.Mutex // guards what follows; each part is touched under it alone
	quirks    Quirks
	objects   map[string]*object
	tables    map[*object]*table
	pages     *pageCache
	keys      credentials
	denied    map[*list]bool
	budget    budget
	burst     burst
	faults    []*scripted
	requests  requestLog
	hidden    map[string]bool // canonical names of headers that are not sent
	onRequest func(*http.Request)
	answered  uint64 // numbers the correlation ids
	events    uint64 // numbers the events
	tap       func(*event)

	sender *sender // has a lock of its own, which is taken after mu
}

// New makes an account. It needs no Close unless Start is called or webhooks are sent.
func New(o Options) *Simulator {
	f := newFront()
	f.closes = o.CloseConnections
	return newCompany(o, f)
}

// AddCompany makes another account behind the same address and clock, which the credential tells apart. Every other
// method of it is about that account alone. Without a Token and CompanyID of its own it gets others than its
// siblings.
func (s *Simulator) AddCompany(o Options) *Simulator {
	n := uint64(s.front.count())
	if o.Token == "" {
		o.Token = hex(o.Seed, "token", n, 40)
	}
	if o.CompanyID == 0 {
		o.CompanyID = 10400001 + int64(n)
	}
	if o.CompanyDomain == "" {
		o.CompanyDomain = fmt.Sprintf("acme-sandbox%d", n+1)
	}
	return newCompany(o, s.front)
}

func newCompany(o Options, f *front) *Simulator {
	o = o.withDefaults()
	s := &Simulator{
		opts:     o,
		front:    f,
		clock:    f.clock,
		quirks:   o.Quirks,
		tables:   make(map[*object]*table, len(objects)),
		pages:    newPageCache(o.CachePages),
		keys:     newCredentials(o),
		denied:   map[*list]bool{},
		budget:   newBudget(o.DailyBudget, o.ResetZone),
		burst:    newBurst(o),
		requests: newRequestLog(o.RequestLog),
		hidden:   map[string]bool{},
		sender:   newSender(&o, f.clock),
	}
	world := newSeeds(&s.opts, s.clock.now())
	s.objects = world.objects
	for _, obj := range objects {
		s.tables[obj] = newTable(obj, world)
	}
	f.add(s)
	return s
}

// Now is the simulator's clock, which every Date header shows.
func (s *Simulator) Now() time.Time { return s.clock.now() }

// Advance moves the clock of all companies forward; webhooks that have become due are sent.
func (s *Simulator) Advance(d time.Duration) {
	s.clock.move(d)
	s.front.dropPages()
	for _, company := range s.front.all() {
		company.sender.wake()
	}
}

// SetQuirks changes how the account behaves from now on.
func (s *Simulator) SetQuirks(set func(*Quirks)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.quirks)
	s.sender.setQuirks(s.quirks)
	s.pages.drop()
}

// HideHeaders leaves the named headers out of every answer from now on, Date included.
func (s *Simulator) HideHeaders(names ...string) { s.setHidden(true, names) }

// ShowHeaders takes back HideHeaders.
func (s *Simulator) ShowHeaders(names ...string) { s.setHidden(false, names) }

func (s *Simulator) setHidden(hide bool, names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		s.hidden[http.CanonicalHeaderKey(name)] = hide
	}
}

// OnRequest has hook called at the beginning of every request of this company, in the request's goroutine, so that
// a test can write between two pages. nil takes it away.
func (s *Simulator) OnRequest(hook func(*http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRequest = hook
}
