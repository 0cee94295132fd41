package main

import (
	"fmt"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// tellDelivery is the line about a try, or about an event that is not even tried: "webhook change deal 101: 200 in 4ms".
func tellDelivery(d simulator.Delivery) string {
	line := fmt.Sprintf("webhook %s %s %s: ", d.Action, d.Entity, d.EntityID)
	if d.Outcome == simulator.Lost {
		return line + "lost, the webhook is banned or removed"
	}
	last := d.Tries[len(d.Tries)-1]
	if last.Err != nil {
		line += last.Err.Error()
	} else {
		line += fmt.Sprint(last.Status)
	}
	line += fmt.Sprintf(" in %v", last.Took.Round(time.Millisecond))
	switch d.Outcome {
	case simulator.Pending:
		line += fmt.Sprintf(", try %d, will be tried again", len(d.Tries))
	case simulator.Dropped:
		line += fmt.Sprintf(", try %d, given up", len(d.Tries))
	}
	return line
}
