package checkup

import (
	"context"
	"strings"
	"sync"
)

// checkCallbacks asks each application for the head of the URL that events are posted to. None is posted. All are asked
// at once, as one that does not answer takes its whole timeout.
func (r *run) checkCallbacks(ctx context.Context) {
	lines := make([]Line, len(r.cfg.Callbacks))
	var asking sync.WaitGroup
	for i, c := range r.cfg.Callbacks {
		asking.Go(func() { lines[i] = answerLine(ctx, c) })
	}
	asking.Wait()
	for i, c := range r.cfg.Callbacks {
		r.add(lines[i])
		if c.Replayed {
			r.add(Line{
				State: Warning, About: AboutCallback, Where: c.Name,
				Found:  "is not inside a fallback: an event that is refused for good is replayed for ever, and holds back what comes behind it",
				Remedy: "put it first in a fallback with a dead-letter output behind it",
			})
		}
	}
}

func answerLine(ctx context.Context, c Callback) Line {
	l := Line{State: OK, About: AboutCallback, Where: c.Name}
	answer, err := c.Client.Probe(ctx, c.Header)
	if err != nil {
		l.State, l.Found = Problem, err.Error()
		l.Remedy = "check url, tls and proxy_url, and whether the application runs: until it answers, events wait and are tried again, and after the last try of retry they are refused"
		return l
	}
	l.Found = c.Client.Host() + " answers, a HEAD with " + answer.String()
	if answer.Redirect != "" {
		l.State = Warning
		l.Remedy = "set url to the final address: an event that is answered so, too, is refused for good"
		return l
	}
	l.Found += "; nothing was posted"
	if answer.Unauthorized() {
		l.State = Warning
		if len(c.Unknown) > 0 {
			l.Found += ", and of the headers not " + strings.Join(c.Unknown, ", ") + ", which only an event has"
		}
		l.Remedy = "check basic_auth, the credentials of url, and headers: an event that is answered so, too, is refused for good; leave it so if the application only misses the signature, which a HEAD has not"
	}
	return l
}
