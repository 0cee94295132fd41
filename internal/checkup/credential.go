package checkup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// checkCredentials asks for each connection who it is, which costs 2 tokens and tells the limits and the time.
func (r *run) checkCredentials(ctx context.Context) {
	for _, c := range r.connections {
		if err := r.caches[c.TokenCache]; err != nil {
			r.add(Line{
				State: heldIsWarning(err), About: AboutCredential, Where: c.where(),
				Found:  "not tried: a refresh may bring another refresh token, which could not be kept in the cache " + c.TokenCache,
				Remedy: "see the line about that cache; a process that is running tells in the line about it whether it is let in",
			})
			continue
		}
		var me pipedrive.Account
		var began, ended time.Time
		err := patiently(ctx, func() (err error) {
			began = time.Now()
			me, err = c.Client.Me(ctx)
			ended = time.Now()
			return err
		})
		if err != nil {
			r.add(r.refusal(c, err))
			continue
		}
		c.account = &me
		r.add(Line{
			State: OK, About: AboutCredential, Where: c.where(),
			Found: fmt.Sprintf("accepted: user %s of %s, company %s, %s", me.UserID, me.CompanyName, me.CompanyID, me.Host),
		})
		if c.OAuth && c.TokenCache == "" {
			r.add(Line{
				State: Warning, About: AboutCredential, Where: c.where(),
				Found:  "oauth2.token_cache is empty: a refresh token that replaces the configured one is lost when the process ends",
				Remedy: "name a cache resource in oauth2.token_cache",
			})
		}
		l := clockLine(me.ServerTime, began, ended)
		l.Where = c.where()
		r.add(l)
		r.add(burstLine(c))
	}
}

// checkStrangers looks for processors that ask another company for the names of its fields than the one that is read.
func (r *run) checkStrangers(context.Context) {
	companies := map[string]bool{}
	for _, c := range r.connections {
		if c.account != nil && len(c.polls)+len(c.registrations) > 0 {
			companies[c.account.CompanyID] = true
		}
	}
	for _, c := range r.connections {
		if c.account == nil || len(companies) == 0 || companies[c.account.CompanyID] {
			continue
		}
		for _, reader := range c.resolvers {
			r.add(Line{
				State: Warning, About: AboutCredential, Where: reader.Name,
				Found:  "resolve asks " + c.account.Host + ", of which no input reads: events of another company stay without names",
				Remedy: "give resolve a credential of the company whose events these are",
			})
		}
	}
}

func heldIsWarning(err error) State {
	if errors.Is(err, ErrHeld) {
		return Warning
	}
	return Problem
}

// refusal is the line for a credential that was not let in, or could not be tried.
func (r *run) refusal(c *connection, err error) Line {
	l := Line{State: Problem, About: AboutCredential, Where: c.where()}
	l.Found, l.Remedy = explain(err)
	var later *pipedrive.LaterError
	if errors.As(err, &later) && later.Kind == pipedrive.KindDaily {
		l.About = AboutBudget
	}
	return l
}

func burstLine(c *connection) Line {
	l := Line{State: OK, About: AboutBurst, Where: c.where()}
	limits := c.Client.Limits()
	l.Found = fmt.Sprintf("%s in two seconds", counted(limits.Burst, "request"))
	if !limits.BurstTold {
		l.Found = "Pipedrive does not say; " + l.Found + " are assumed until it does"
	}
	return l
}

const (
	clockTolerance = 5 * time.Second
	clockWrong     = time.Minute
)

// clockLine compares the clock of this machine with Pipedrive's, which shows whole seconds and was read at some moment
// between began and ended.
func clockLine(server, began, ended time.Time) Line {
	l := Line{State: OK, About: AboutClock}
	if server.IsZero() {
		l.State = Warning
		l.Found = "Pipedrive's answers carry no Date header, so the clock cannot be compared"
		l.Remedy = "let the proxy that removes it pass it: without it reading goes by the clock of this machine, with twice the overlap"
		return l
	}
	const halfSecond = time.Second / 2
	half := ended.Sub(began) / 2
	apart, word := server.Add(halfSecond).Sub(began.Add(half)), "behind"
	if apart < 0 {
		apart, word = -apart, "ahead of"
	}
	certain := apart - half - halfSecond
	if certain < clockTolerance {
		l.Found = "agrees with Pipedrive's"
		return l
	}
	l.State = Warning
	if certain >= clockWrong {
		l.State = Problem
	}
	l.Found = fmt.Sprintf("this machine is %v %s Pipedrive", apart.Round(time.Second), word)
	l.Remedy = "set the clock (NTP): the lag in the metrics is wrong by as much, the budget day begins at another time, access tokens end unexpectedly"
	return l
}
