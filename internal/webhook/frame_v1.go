package webhook

import "strings"

// readV1 fills in what version 1.0 says in its own way, and returns what tells the events of one record and action
// apart. https://pipedrive.readme.io/docs/guide-for-webhooks
func (f *Frame) readV1(p *parts) (occasion string, err error) {
	m := &p.meta
	if err := m.need(needed{"object", m.object}, needed{"action", m.action}, needed{"id", m.id}); err != nil {
		return "", err
	}
	f.Schema, f.Object, f.ID = SchemaV1, m.object, m.id
	f.Attempt = p.retry.count(0) + 1
	if micro := m.micro.word(); micro != "" {
		return strings.Join([]string{m.webhook, micro}, "/"), nil
	}
	return strings.Join([]string{m.webhook, m.timestamp.word(), p.fingerprint()}, "/"), nil
}
