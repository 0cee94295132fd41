package event

import "time"

// The forms in which an event is written. All are objects whose numbers are json.Number.
const (
	FormEvent       = "event"
	FormCloudEvents = "cloudevents"
	FormElements    = "elements"
	FormDebezium    = "debezium"
)

// millis is a time in RFC 3339 in milliseconds since 1970, nil where there is none.
func millis(at string) any {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return nil
	}
	return whole(t.UnixMilli())
}
