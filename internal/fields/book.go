// Package fields knows what the custom fields of one account are called: by key their names, types and options.
package fields

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// Config is how a Book learns. List and Company have to be there.
type Config struct {
	// List reads the definitions of a kind: deal, person, ... Kinds that share a list, as deal and lead do, are asked
	// for under the first that somebody needs.
	List func(ctx context.Context, kind string) ([]entity.Field, error)
	// Company is the id of the company that List reads from.
	Company func(ctx context.Context) (string, error)

	Interval time.Duration // after which a list is read again; default 1 h
	Pause    time.Duration // between readings because of keys that the last one did not have, at least; default 1 min

	// Failed hears of the first failure in a row of which no caller does, as all get the older list. It may be nil.
	Failed func(error)
}

const (
	defaultInterval = time.Hour
	defaultPause    = time.Minute
)

// Book holds the field definitions of one account. It reads a list when somebody needs it and not before, once for all
// who do, and answers from what it has when the list cannot be read. Its methods may be called by many goroutines; it
// has none of its own.
type Book struct {
	Config
	company cell[string]

	mu    sync.Mutex
	pages map[string]*page // by the path of the list
}

// page is one list and the keys that it does not have.
type page struct {
	cell[map[string]entity.Field]
	missing missing
}

// OtherCompanyError means that an event is of another company than the connection: nothing in this book is about it.
type OtherCompanyError struct{ Event, Connection string }

func (e *OtherCompanyError) Error() string {
	return fmt.Sprintf("the event is of company %s and the connection of company %s: its custom fields cannot be resolved", e.Event, e.Connection)
}

// New makes an empty book. Nothing is read yet.
func New(c Config) *Book {
	c.Interval = cmp.Or(c.Interval, defaultInterval)
	c.Pause = cmp.Or(c.Pause, defaultPause)
	return &Book{Config: c, pages: map[string]*page{}}
}

// Of is all custom fields of a kind by their keys, with names that differ (see Names). The map is shared: it is to be
// read only. It is empty when the kind has none, as users and notes have not.
//
// The company is that of the event; "" is one that nobody knows, and is taken for the connection's. The keys are those
// that the event has: without any nothing is read, and a key that is not in the list has it read again, in case it is
// new, but a key that nobody defines soon stops costing requests. nil are keys that are all known.
//
// An error means that there is nothing to answer from (an *OtherCompanyError that there never will be), or that ctx
// ended. After a failure it comes at once for a while, without another request.
func (b *Book) Of(ctx context.Context, company, kind string, keys iter.Seq[string]) (map[string]entity.Field, error) {
	o, known := entity.OfKind(kind)
	if !known || o.Fields == "" || keys != nil && isEmpty(keys) {
		return none, nil
	}
	if err := b.check(ctx, company); err != nil {
		return nil, err
	}
	p := b.page(o.Fields)
	asked := time.Now()
	wants := func(last answer[map[string]entity.Field]) bool {
		switch age := asked.Sub(last.at); {
		case age >= b.Interval:
			return true
		case age < b.Pause || keys == nil:
			return false
		}
		return p.missing.due(keys, last.value, asked)
	}
	last, err := p.get(ctx, wants, b.Failed, func(ctx context.Context) (map[string]entity.Field, error) {
		list, err := b.List(ctx, kind)
		return Names(list), err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the fields of a %s: %w", kind, err)
	}
	if keys != nil && !last.at.Before(asked) { // it was read for this, and not kept from before
		p.missing.note(keys, last, b.Pause, b.Interval)
	}
	return last.value, nil
}

var none = map[string]entity.Field{}

func isEmpty(keys iter.Seq[string]) bool {
	for range keys {
		return false
	}
	return true
}

func (b *Book) check(ctx context.Context, company string) error {
	if company == "" {
		return nil
	}
	once := func(answer[string]) bool { return false }
	ours, err := b.company.get(ctx, once, nil, b.Company)
	if err != nil {
		return fmt.Errorf("reading which company the fields are of: %w", err)
	}
	if ours.value != company {
		return &OtherCompanyError{Event: company, Connection: ours.value}
	}
	return nil
}

func (b *Book) page(path string) *page {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pages[path]
	if p == nil {
		p = &page{}
		b.pages[path] = p
	}
	return p
}
