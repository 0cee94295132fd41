package webhook

import "strings"

// readV1 fills in what version 1.0 says in its own way, and returns what tells the events of one record and action
// apart. https://pipedrive.readme.io/docs/guide-for-webhooks
func (f *Frame) readV1(m *meta, p *parts) (occasion string, err error) {
	if err := m.need(word{"object", m.object}, word{"action", m.action}, word{"id", m.id}); err != nil {
		return "", err
	}
	f.Schema, f.Object, f.ID = SchemaV1, m.object, m.id
	f.Attempt = count(p.retry, 0) + 1
	if micro := text(m.micro); micro != "" {
		return strings.Join([]string{m.webhook, micro}, "/"), nil
	}
	return strings.Join([]string{m.webhook, text(m.timestamp), p.fingerprint()}, "/"), nil
}
