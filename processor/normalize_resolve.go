package processor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/Jeffail/gabs/v2"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/fields"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// resolver joins the book of field definitions with the client that reads them.
type resolver struct {
	client     *pipedrive.Client
	book       *fields.Book
	log        *service.Logger
	unresolved *service.MetricCounter

	stranger sync.Once   // for the one warning of events of another company
	failing  atomic.Bool // a warning said so, and names have not been had since
}

func newResolver(c normalizeConfig, res *service.Resources) (*resolver, error) {
	client, err := c.connection.NewClient(res)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pnFieldResolve, err)
	}
	r := &resolver{client: client, log: res.Logger(), unresolved: res.Metrics().NewCounter("pipedrive_unresolved_total")}
	r.unresolved.Incr(0) // an alert watches it grow
	r.book = fields.New(fields.Config{
		List: func(ctx context.Context, kind string) ([]entity.Field, error) {
			o, _ := entity.OfKind(kind)
			return client.Fields(ctx, o)
		},
		Company: func(ctx context.Context) (string, error) {
			account, err := client.Me(ctx)
			return account.CompanyID, err
		},
		Interval: c.refresh,
		Failed: func(err error) {
			r.log.Warnf("The names of custom fields could not be refreshed, older ones are used: %v", err)
		},
	})
	return r, nil
}

// fields are the definitions of the custom fields that the body may have. An error means that the event goes through
// without names.
func (r *resolver) fields(ctx context.Context, body *gabs.Container, about *event.About) (map[string]entity.Field, error) {
	defined, err := r.book.Of(ctx, about.CompanyID, about.Object, event.CustomKeys(body, about.Schema))
	if err == nil {
		r.failing.Store(false)
		return defined, nil
	}
	r.unresolved.Incr(1)
	var other *fields.OtherCompanyError
	switch {
	case errors.As(err, &other):
		r.stranger.Do(func() {
			r.log.Warnf("Custom fields go without names: %v. Give %s a credential of that company", err, pnFieldResolve)
		})
	case !r.failing.Swap(true):
		r.log.Warnf("Custom fields go without names until their list can be read: %v", err)
	}
	return nil, err
}
