package webhook

import (
	"cmp"
	"strings"
)

// readV2 fills in what version 2.0 says in its own way, and returns what tells the events of one record and action
// apart. https://pipedrive.readme.io/docs/guide-for-webhooks-v2
func (f *Frame) readV2(p *parts) (occasion string, err error) {
	m := &p.meta
	id := m.entityID
	if id == "" {
		id = p.recordID()
	}
	if err := m.need(needed{"entity", m.entity}, needed{"action", m.action}, needed{"entity_id", id}); err != nil {
		return "", err
	}
	f.Schema, f.Object, f.ID, f.CorrelationID = SchemaV2, m.entity, id, m.correlation
	f.Attempt = m.attempt
	// meta.id is the UUID of the event, except that users' events have the user's id there, every time the same.
	if m.id != id && !isInteger(m.id) {
		f.EventID = m.id
	}
	if f.EventID != "" {
		return f.EventID, nil
	}
	at := m.timestamp.word()
	if m.correlation != "" && at != "" {
		return strings.Join([]string{m.correlation, at}, "/"), nil
	}
	return strings.Join([]string{m.correlation, at, p.fingerprint()}, "/"), nil
}

// recordID is what the record calls itself. What the webhooks of field definitions have in meta is documented nowhere
// that could be read, and a refusal may ban the hook.
func (p *parts) recordID() string {
	for _, record := range []value{p.record, p.previous} {
		if id := cmp.Or(record.member("id").word(), record.member("field_code").word()); id != "" {
			return id
		}
	}
	return ""
}
