package simulator

import (
	"sync"
	"time"
)

// clock is time.Now plus what it was moved by; inside testing/synctest time.Now is virtual already.
type clock struct {
	mu    sync.Mutex
	moved time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.moved).UTC()
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved += d
}

// stamp is a point of time in Unix milliseconds.
type stamp int64

// never is null: it sorts before every time, as MySQL sorts null, and matches no filter.
const never stamp = -1 << 63

// The ways in which Pipedrive writes a time, always in UTC.
// https://pipedrive.readme.io/docs/core-api-concepts-date-format
const (
	layoutV2     = "2006-01-02T15:04:05Z"
	layoutMillis = "2006-01-02T15:04:05.000Z"
	layoutV1     = "2006-01-02 15:04:05"
	layoutDate   = "2006-01-02"
)

func stampOf(t time.Time) stamp { return stamp(t.UnixMilli()) }

func (s stamp) time() time.Time { return time.UnixMilli(int64(s)).UTC() }

// append writes the time as a JSON value.
func (s stamp) append(b []byte, layout string) []byte {
	if s == never {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = s.time().AppendFormat(b, layout)
	return append(b, '"')
}
