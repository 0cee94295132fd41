package poll

import (
	"fmt"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// The two words of start_from.
const (
	Beginning = "beginning"
	Now       = "now"
)

// CheckStartFrom refuses what is neither a word nor a time.
func CheckStartFrom(text string) error {
	if text == Beginning || text == Now {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return fmt.Errorf("start_from: %q is neither %q, %q nor an RFC 3339 time like 2026-11-20T09:15:00Z", text, Beginning, Now)
	}
	return nil
}

// CheckPast refuses a time that is still to come: it would be kept in the position, where a correction of the
// configuration is not looked at, and nothing would be read until then.
func CheckPast(startFrom string, serverTime time.Time) error {
	if at, err := time.Parse(time.RFC3339, startFrom); err == nil && at.After(serverTime) {
		return fmt.Errorf("start_from: %s is still to come, Pipedrive's clock says %s; want %q, %q or a time that is past",
			startFrom, serverTime.UTC().Format(time.RFC3339), Beginning, Now)
	}
	return nil
}

// NewPosition is where reading an object begins. serverTime is what `now` means.
func NewPosition(account cursor.Account, object entity.Object, startFrom string, serverTime time.Time) *cursor.Position {
	p := &cursor.Position{Account: account, Object: object.Name, StartFrom: startFrom, First: true}
	switch startFrom {
	case Beginning:
		return p
	case Now:
		p.Floor = serverTime
	default:
		p.Floor, _ = time.Parse(time.RFC3339, startFrom)
	}
	p.Floor = p.Floor.UTC().Truncate(time.Second)
	p.Main.Since, p.Look.Since = p.Floor, p.Floor
	return p
}
