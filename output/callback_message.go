package output

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// message reads the index-th message of a batch.
func (c *callbackConfig) message(batch service.MessageBatch, index int) (m callback.Message, err error) {
	msg := batch[index]
	if m.Body, err = msg.AsBytes(); err != nil {
		return m, fmt.Errorf("reading the message: %w", err)
	}
	m.ID = defaultID(msg, m.Body)
	if c.messageID != nil {
		if m.ID, err = batch.TryInterpolatedString(index, c.messageID); err != nil {
			return m, fmt.Errorf("%s: %w", pcFieldMessageID, err)
		}
		if m.ID == "null" { // what an interpolation makes of a value that is not there
			return m, fmt.Errorf("%s: came out as null, the same for every message that has no such value", pcFieldMessageID)
		}
	}
	m.Header = make(http.Header, len(c.headers))
	for name, value := range c.headers {
		text, err := batch.TryInterpolatedString(index, value)
		if err == nil {
			err = callback.CheckHeaderValue(text)
		}
		if err != nil {
			return m, fmt.Errorf("%s.%s: %w", pcFieldHeaders, name, err)
		}
		m.Header.Set(name, text)
	}
	return m, nil
}

// eventID begins as the ids do that pipedrive_normalize makes. Another id may be that of a record, which all its
// changes share: a receiver that knows messages by their id would drop the second.
var eventID = regexp.MustCompile(`^pd[0-9]+_`)

// defaultID is the event's id. Without one it is a hash of the body and of whose record it is: the removals of a deal 7
// and a stage 7 have equal bodies.
func defaultID(msg *service.Message, body []byte) string {
	if key, _ := msg.MetaGet(spec.MetaEventKey); key != "" {
		return key
	}
	if id := gjson.GetBytes(body, "id"); id.Type == gjson.String && eventID.MatchString(id.Str) {
		return id.Str
	}
	h := sha256.New()
	for _, name := range []string{spec.MetaCompanyID, spec.MetaObject} {
		value, _ := msg.MetaGet(name)
		h.Write(append([]byte(value), 0))
	}
	h.Write(body)
	return "body_" + hex.EncodeToString(h.Sum(nil)[:16])
}
