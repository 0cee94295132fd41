package webhook

import (
	"sync"
	"time"
)

// tallyEvery is how often one reason to refuse is worth a line: anybody can knock a thousand times a second.
const tallyEvery = time.Minute

// tally logs refusals, one line a reason and minute.
type tally struct {
	log Logger

	mu      sync.Mutex
	reasons map[string]*tallied
}

type tallied struct {
	said  time.Time
	since int // refusals since then
}

func newTally(log Logger) *tally { return &tally{log: log, reasons: map[string]*tallied{}} }

// add counts a refusal. The reason goes on from "refused a webhook " and is one of a few; the detail of the newest
// stands for all.
func (t *tally) add(reason, detail string) {
	t.mu.Lock()
	k := t.reasons[reason]
	if k == nil {
		k = &tallied{}
		t.reasons[reason] = k
	}
	k.since++
	n, now := k.since, time.Now()
	due := now.Sub(k.said) >= tallyEvery
	if due {
		k.said, k.since = now, 0
	}
	t.mu.Unlock()
	if !due {
		return
	}
	if detail != "" {
		detail = ": " + detail
	}
	if n == 1 {
		t.log.Warnf("Refused a webhook %s%s", reason, detail)
		return
	}
	t.log.Warnf("Refused %d webhooks since the last such line, the newest one %s%s", n, reason, detail)
}
