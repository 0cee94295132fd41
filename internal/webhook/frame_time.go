package webhook

import (
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// recordTimes are the fields that say when a record changed, else when it was made; users have the second of each pair.
var recordTimes = [...]string{"update_time", "modified", "add_time", "created"}

func (p *parts) moment() time.Time {
	if actionOf(p.meta.action) != deleted {
		for _, v := range p.times {
			if t := v.time(); !t.IsZero() {
				return t
			}
		}
	}
	if t := p.meta.timestamp.time(); !t.IsZero() {
		return t
	}
	return p.meta.micro.time()
}

// time reads what Pipedrive writes for a time: RFC 3339, `2026-11-20 09:15:00` of version 1.0, or a number since 1970
// in seconds, milliseconds or microseconds, whichever lies near today. It is zero for everything else.
func (v value) time() time.Time {
	if v.isText() && !isInteger(v.text()) {
		t, _ := entity.Stamp{}.Parse(v.text())
		return t
	}
	const ( // the first numbers that are too large: in seconds the year 5138
		seconds = 1e11
		millis  = 1e14
		micros  = 1e17
	)
	switch n := v.integer(); {
	case n <= 0 || n >= micros:
		return time.Time{}
	case n >= millis:
		return time.UnixMicro(n).UTC()
	case n >= seconds:
		return time.UnixMilli(n).UTC()
	default:
		return time.Unix(n, 0).UTC()
	}
}
