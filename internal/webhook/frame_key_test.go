package webhook_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeyIsEqualForAllAttempts(t *testing.T) {
	t.Parallel()
	user := v2(`"action":"change","entity":"user","entity_id":"31","id":"31","correlation_id":"c1","timestamp":1795007142,"attempt":1`, `,"data":{}`)
	bare := v2(`"action":"change","entity":"deal","entity_id":"7","attempt":1`, `,"data":{"value":1}`)
	old := strings.Replace(dealV1, `"timestamp_micro":1795007142913004,`, ``, 1)
	for name, c := range map[string]struct{ body, first, again string }{
		"v2":                     {dealV2, `"attempt":1`, `"attempt":4`},
		"v2 user":                {user, `"attempt":1`, `"attempt":2`},
		"v2 with nothing":        {bare, `"attempt":1`, `"attempt":3`},
		"v1":                     {dealV1, `"retry":2`, `"retry":3`},
		"v1 of whole seconds":    {old, `"retry":2`, `"retry":0`},
		"v2 other subscription":  {dealV2, `"webhook_id":"45001"`, `"webhook_id":"45009"`},
		"v2 ids become numbers":  {dealV2, `"entity_id":"7301"`, `"entity_id":7301`},
		"v1 id becomes a string": {dealV1, `"id":7301,"company_id"`, `"id":"7301","company_id"`},
	} {
		require.Contains(t, c.body, c.first, name)
		assert.Equal(t, parse(t, c.body).Key, parse(t, strings.Replace(c.body, c.first, c.again, 1)).Key, name)
	}
}

func TestKeyIsDifferentForEachDelivery(t *testing.T) {
	t.Parallel()
	user := func(id, cause string, when int) string {
		return v2(fmt.Sprintf(`"action":"change","entity":"user","entity_id":%q,"id":%q,"company_id":"1","correlation_id":%q,"timestamp":%d`,
			id, id, cause, when), ``)
	}
	bare := func(value int, more ...string) string {
		return v2(`"action":"change","entity":"deal","entity_id":"7"`+strings.Join(more, ""), fmt.Sprintf(`,"data":{"value":%d},"previous":{"value":5}`, value))
	}
	bodies := []string{
		dealV2,
		strings.Replace(dealV2, `"id":"9b0d1f6e`, `"id":"9b0d1f6f`, 1),
		strings.Replace(dealV2, `"company_id":"60606"`, `"company_id":"60607"`, 1),
		strings.Replace(dealV2, `"action":"change"`, `"action":"delete"`, 1), // of a merge, should the event be one
		strings.Replace(dealV2, `"entity_id":"7301"`, `"entity_id":"7302"`, 1),
		strings.Replace(dealV2, `"entity":"deal"`, `"entity":"lead"`, 1),
		user("31", "c1", 1795007142), user("31", "c2", 1795007142), user("31", "c1", 1795007143), user("32", "c1", 1795007142),
		user("31", "", 1795007142),
		bare(1), bare(2), strings.Replace(bare(1), `"value":5`, `"value":6`, 1),
		bare(1, `,"timestamp":1795007142`), bare(2, `,"timestamp":1795007142`),
		bare(1, `,"correlation_id":"c1"`), bare(2, `,"correlation_id":"c1"`),
		dealV1,
		strings.Replace(dealV1, `1795007142913004`, `1795007142913005`, 1),
		strings.Replace(dealV1, `"action":"updated"`, `"action":"merged"`, 1),
		strings.Replace(dealV1, `"webhook_id":"45002"`, `"webhook_id":"45003"`, 1),
		strings.Replace(dealV1, `"id":7301,"company_id"`, `"id":7302,"company_id"`, 1),
		strings.Replace(dealV1, `"object":"deal"`, `"object":"note"`, 1),
		strings.Replace(dealV1, `"timestamp_micro":1795007142913004,`, ``, 1),
		strings.NewReplacer(`"timestamp_micro":1795007142913004,`, ``, `"title":"Rooftop solar"`, `"title":"Roof"`).Replace(dealV1),
	}
	seen := map[string]int{}
	for i, body := range bodies {
		key := parse(t, body).Key
		before, again := seen[key]
		require.Falsef(t, again, "bodies %d and %d have the key %s", before, i, key)
		seen[key] = i
	}
}

// Of a user's event meta.id is the user, no event.
func TestUsersEventsHaveNoEventID(t *testing.T) {
	t.Parallel()
	f := parse(t, v2(`"action":"change","entity":"user","entity_id":"31","id":"31","correlation_id":"c1"`, ``))
	assert.Empty(t, f.EventID)
	assert.Equal(t, "c1", f.CorrelationID)
}
