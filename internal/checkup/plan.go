package checkup

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
)

const day = 24 * time.Hour

// scarce is the part of a day's tokens below which what is left of them is worth a warning.
const scarce = 0.1

// checkBudgets compares for each company what is planned with what may be spent. Nothing is asked.
func (r *run) checkBudgets(context.Context) {
	for _, together := range r.companies() {
		account := plan(together)
		where := namesOf(together)
		l := budgetLine(account.Limits)
		l.Where = where
		r.add(l)
		if account.Planned > 0 {
			l := planLine(account)
			l.Where = where
			r.add(l)
		}
		r.report.Accounts = append(r.report.Accounts, account)
		r.remember(together, account)
	}
}

// remember keeps what is planned for each object, in the order in which plan went over them.
func (r *run) remember(connections []*connection, a Account) {
	next := 0
	for _, c := range connections {
		for _, p := range c.polls {
			for i := range p.Objects {
				r.planned[&p.Objects[i]] = &a.Objects[next]
				next++
			}
		}
	}
}

// companies groups the connections that share a budget.
func (r *run) companies() (groups [][]*connection) {
	for _, c := range r.connections {
		if c.account == nil {
			continue
		}
		i := slices.IndexFunc(groups, func(g []*connection) bool { return g[0].account.CompanyID == c.account.CompanyID })
		if i < 0 {
			groups = append(groups, []*connection{c})
		} else {
			groups[i] = append(groups[i], c)
		}
	}
	return groups
}

func namesOf(connections []*connection) string {
	var names []string
	for _, c := range connections {
		names = append(names, c.names...)
	}
	return listed(names)
}

// plan adds up what everything that reads a company takes of its budget on a day on which nothing changes.
func plan(connections []*connection) Account {
	me := connections[0].account
	a := Account{
		CompanyID: me.CompanyID, CompanyName: me.CompanyName, Host: me.Host,
		Limits: connections[0].Client.Limits(),
	}
	for _, c := range connections {
		for _, p := range c.polls {
			for i := range p.Objects {
				o := Object{
					Where:    p.Name,
					Name:     p.Objects[i].Name,
					Interval: poll.IntervalOf(&p.Objects[i], p.Interval, p.FullReadInterval),
					Tokens:   poll.IdleDay(&p.Objects[i], p.Interval, p.FullReadInterval),
				}
				a.Planned += o.Tokens
				a.Objects = append(a.Objects, o)
			}
		}
		for _, reg := range c.registrations {
			a.Planned += pipedrive.WebhooksTokens * day.Seconds() / reg.Subscription.CheckInterval.Seconds()
		}
	}
	a.Stretch = max(1, a.Planned/max(float64(a.Limits.Share), 1))
	for i := range a.Objects {
		o := &a.Objects[i]
		o.Effective = o.Interval
		if a.Stretch == 1 {
			continue
		}
		o.Effective = time.Duration(min(float64(o.Interval)*a.Stretch, math.MaxInt64/2)).Round(time.Second)
	}
	return a
}

func budgetLine(l pipedrive.Limits) Line {
	line := Line{State: OK, About: AboutBudget}
	may := fmt.Sprintf("this process may spend %s", humanize.Comma(l.Share))
	if !l.DailyTold {
		line.Found = fmt.Sprintf("Pipedrive does not say; %s tokens a day are assumed until it does, of which %s", humanize.Comma(l.Daily), may)
		return line
	}
	line.Found = fmt.Sprintf("%s tokens a day, of which %s", humanize.Comma(l.Daily), may)
	if l.Left < 0 {
		return line
	}
	line.Found += fmt.Sprintf("; the company has %s left today", humanize.Comma(l.Left))
	if float64(l.Left) < scarce*float64(l.Daily) {
		line.State = Warning
		line.Remedy = "when nothing is left everything stops until midnight of Pipedrive's: find the integration that spends it, or buy a top-up"
	}
	return line
}

func planLine(a Account) Line {
	line := Line{State: OK, About: AboutPlan}
	line.Found = fmt.Sprintf("%s a day when nothing changes, %.0f%% of what this process may spend",
		tokens(a.Planned), 100*a.Planned/max(float64(a.Limits.Share), 1))
	if a.Stretch > 1 {
		line.State = Warning
		line.Found += ": the intervals become " + times(a.Stretch) + " as long"
		line.Remedy = "poll fewer objects, set a longer interval, or raise daily_token_share; or leave it so, what changes comes later then"
	}
	return line
}
