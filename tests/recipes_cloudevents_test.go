package tests

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/tidwall/gjson"
)

// Every webhook arrives as a CloudEvent, although the endpoint is down at first.
func TestCloudEventsArrive(t *testing.T) {
	k := newKitchen(t, 12)
	app := newEndpoint(t, k)
	p := k.cook("cloudevents.yaml")
	k.live(40)
	told := k.mail.told(t)
	k.settles("every event arrives", func() []string { return without(told, idsOf(parseLines(t, app.took()))) })
	p.stop()
	for _, body := range app.took() {
		e := gjson.Parse(body)
		assert.Equal(t, "1.0", e.Get("specversion").Str)
		assert.Equal(t, "https://acme-sandbox.pipedrive.com/"+e.Get("data.object").Str, e.Get("source").Str)
		assert.Equal(t, "com.pipedrive."+e.Get("data.object").Str+"."+e.Get("data.action").Str, e.Get("type").Str)
	}
	assert.Equal(t, map[string]bool{"application/cloudevents+json; charset=UTF-8": true}, app.mediaTypes())
	assert.Empty(t, letters(t, filepath.Join(k.folder, "state/dead_letters")), "an outage makes no letters")
}
