package checkup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTheClockIsComparedWithinWhatCanBeKnown(t *testing.T) {
	t.Parallel()
	server := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name         string
		began, ended time.Duration // after server, by the clock of this machine
		state        State
		found        string
	}{
		{"the same", 100 * time.Millisecond, 300 * time.Millisecond, OK, "agrees with Pipedrive's"},
		{"the end of the second", 900 * time.Millisecond, 990 * time.Millisecond, OK, "agrees with Pipedrive's"},
		{"a little ahead", 5 * time.Second, 5100 * time.Millisecond, OK, "agrees with Pipedrive's"},
		{"ahead", 12500 * time.Millisecond, 12500 * time.Millisecond, Warning, "this machine is 12s ahead of Pipedrive"},
		{"behind", -29500 * time.Millisecond, -29500 * time.Millisecond, Warning, "this machine is 30s behind Pipedrive"},
		{"far behind", -time.Hour, -time.Hour, Problem, "this machine is 1h0m1s behind Pipedrive"},
		{"a request that took long", 0, 20 * time.Second, OK, "agrees with Pipedrive's"},
		{"a long request, far ahead", 10 * time.Minute, 10*time.Minute + 20*time.Second, Problem, "this machine is 10m10s ahead of Pipedrive"},
	} {
		l := clockLine(server, server.Add(test.began), server.Add(test.ended))
		assert.Equal(t, test.state, l.State, test.name)
		assert.Equal(t, test.found, l.Found, test.name)
		assert.Equal(t, test.state != OK, l.Remedy != "", test.name)
	}
	assert.Equal(t, Warning, clockLine(time.Time{}, server, server).State)
}
