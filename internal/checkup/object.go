package checkup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// checkObjects asks for one record of each object, once a connection. That costs as much as a page of it.
func (r *run) checkObjects(ctx context.Context) {
	for _, c := range r.connections {
		if c.account == nil {
			continue
		}
		answers := map[string]error{}
		for _, p := range c.polls {
			for i := range p.Objects {
				o := &p.Objects[i]
				err, asked := answers[o.Name]
				if !asked {
					err = patiently(ctx, func() error {
						_, err := c.Client.List(ctx, o, pipedrive.Query{Limit: 1})
						return err
					})
					answers[o.Name] = err
				}
				r.addObject(p, o, err)
			}
		}
	}
}

func (r *run) addObject(p *Poll, o *entity.Object, err error) {
	l := Line{State: OK, About: AboutObject, Where: p.Name, Subject: o.Name}
	planned := r.planned[o]
	if err == nil {
		planned.Readable = true
		l.Found = "readable, every " + short(planned.Effective)
		if planned.Effective > planned.Interval {
			l.Found += " instead of every " + short(planned.Interval)
		}
		l.Found += fmt.Sprintf(", %s a day", tokens(planned.Tokens))
		r.add(l)
		return
	}
	l.State = Problem
	l.Found, l.Remedy = explainObject(err, p.OAuth, o)
	r.add(l)
}

// explainObject knows more than explain about a list that is refused.
func explainObject(err error, oauth bool, o *entity.Object) (found, remedy string) {
	var forbidden *pipedrive.ForbiddenError
	var gone *pipedrive.GoneError
	var refused *pipedrive.RefusedError
	without := "take " + o.Name + " out of objects"
	switch {
	case errors.As(err, &forbidden) && forbidden.Status != http.StatusForbidden:
		return forbidden.Error(), "the account is not open or does not have this feature: " + without
	case errors.As(err, &forbidden) && oauth && o.Scope != "":
		return forbidden.Error(), fmt.Sprintf("give the app the scope %s and install it again, or %s", o.Scope, without)
	case errors.As(err, &forbidden):
		return forbidden.Error(), "the credential may not read it: give its user (or the app) the right to, or " + without
	case errors.As(err, &gone), errors.As(err, &refused):
		found, _ = explain(err)
		return found, "Pipedrive does not know this list: " + without + ", or correct the path of a custom object"
	}
	return explain(err)
}

// short writes a duration without the zeros at its end: 1m, 3m4.2s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
