package checkup

import (
	"context"
	"slices"
	"strings"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// run is a check under way.
type run struct {
	cfg    Config
	report Report

	running     *Running         // nil: no process of ours was found
	caches      map[string]error // that were probed, by label
	connections []*connection    // in the order of the configuration
	planned     map[*entity.Object]*Object
}

// connection is one credential at one place, whichever components use it.
type connection struct {
	Reader        // the first of them
	names         []string
	polls         []*Poll
	registrations []*Registration
	resolvers     []*Reader
	account       *pipedrive.Account // nil: it was not let in
}

func (c *connection) where() string { return strings.Join(c.names, ", ") }

// Run checks. It returns what it found until then when the context ends.
func Run(ctx context.Context, cfg Config) Report {
	r := &run{cfg: cfg, caches: map[string]error{}, planned: map[*entity.Object]*Object{}}
	r.connect()
	for _, step := range []func(context.Context){
		r.checkProcess,
		r.checkCaches, // before the credentials: a refresh token that comes back has to be kept
		r.checkCredentials,
		r.checkStrangers,
		r.checkBudgets,
		r.checkObjects,
		r.checkWebhooks,
		r.checkCheckpoints,
		r.checkJournals,
		r.checkCallbacks,
	} {
		if ctx.Err() == nil {
			step(ctx)
		}
	}
	for _, client := range r.clients() {
		r.report.Tokens += client.Cost()
	}
	return r.report
}

func (r *run) add(l Line) { r.report.Lines = append(r.report.Lines, l) }

// connect finds out who asks the same.
func (r *run) connect() {
	for i := range r.cfg.Polls {
		p := &r.cfg.Polls[i]
		c := r.connectionOf(p.Reader)
		c.polls = append(c.polls, p)
	}
	for i := range r.cfg.Doors {
		if reg := r.cfg.Doors[i].Registration; reg != nil {
			c := r.connectionOf(reg.Reader)
			c.registrations = append(c.registrations, reg)
		}
	}
	for i := range r.cfg.Resolvers {
		reader := &r.cfg.Resolvers[i]
		c := r.connectionOf(*reader)
		c.resolvers = append(c.resolvers, reader)
	}
}

func (r *run) connectionOf(reader Reader) *connection {
	i := slices.IndexFunc(r.connections, func(c *connection) bool { return c.Client.Asks() == reader.Client.Asks() })
	if i < 0 {
		i = len(r.connections)
		r.connections = append(r.connections, &connection{Reader: reader})
	}
	c := r.connections[i]
	c.names = append(c.names, reader.Name)
	return c
}

// clients are all that may have asked.
func (r *run) clients() (all []*pipedrive.Client) {
	for _, c := range r.connections {
		for _, p := range c.polls {
			all = append(all, p.Client)
		}
		for _, reg := range c.registrations {
			all = append(all, reg.Client)
		}
		for _, reader := range c.resolvers {
			all = append(all, reader.Client)
		}
	}
	return all
}

// accountOf is whose records a component reads, if its credential was let in.
func (r *run) accountOf(reader Reader) *cursor.Account {
	for _, c := range r.connections {
		if c.Client.Asks() == reader.Client.Asks() && c.account != nil {
			return &cursor.Account{Company: c.account.CompanyID, Host: c.account.Host}
		}
	}
	return nil
}
