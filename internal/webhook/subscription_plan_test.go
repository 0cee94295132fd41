package webhook

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

const ourURL, ourName = "https://hooks.example.com/events/pipedrive", "benthos"

// ourHook is one of ours that is in order, changed by edits.
func ourHook(id, action, object string, edits ...func(*pipedrive.Webhook)) pipedrive.Webhook {
	w := pipedrive.Webhook{
		ID: id, Name: ourName, URL: ourURL, Action: action, Object: object, Version: "2.0", UserID: "11", OwnerID: "11",
		Active: true, LastStatus: 200,
	}
	for _, edit := range edits {
		edit(&w)
	}
	return w
}

func isBanned(w *pipedrive.Webhook)  { w.Active = false }
func isRefused(w *pipedrive.Webhook) { w.LastStatus = 401 }
func isOld(w *pipedrive.Webhook)     { w.Version = "1.0" }
func isSilent(w *pipedrive.Webhook)  { w.Version, w.UserID, w.LastStatus = "", "", 0 }
func isStrange(w *pipedrive.Webhook) { w.Name = "somebody else's" }

func withURL(url string) func(*pipedrive.Webhook) { return func(w *pipedrive.Webhook) { w.URL = url } }

func withUser(id string) func(*pipedrive.Webhook) {
	return func(w *pipedrive.Webhook) { w.UserID = id }
}

func withStatus(code int) func(*pipedrive.Webhook) {
	return func(w *pipedrive.Webhook) { w.LastStatus = code }
}

// inLines is a plan in one line a step: `+` creates, `-` removes.
func inLines(steps []step) (lines []string) {
	for _, s := range steps {
		line := fmt.Sprint(s.reason, " ", s.topic)
		if s.create {
			line = "+" + line
		}
		for _, w := range s.remove {
			line += " -" + w.ID
		}
		lines = append(lines, line)
	}
	return lines
}

func TestPlan(t *testing.T) {
	t.Parallel()
	all, deals, leads := topic{"*", "*"}, topic{"change", "deal"}, topic{"create", "lead"}
	for _, test := range []struct {
		name    string
		topics  []topic
		user    string
		present []pipedrive.Webhook
		want    []string
	}{
		{"nothing there", []topic{all}, "", nil, []string{"+missing *.*"}},
		{"all in order", []topic{all, deals}, "11", []pipedrive.Webhook{ourHook("1", "*", "*"), ourHook("2", "change", "deal")}, nil},
		{"others' webhooks", []topic{all}, "", []pipedrive.Webhook{
			ourHook("1", "*", "*", isStrange, isBanned), ourHook("2", "*", "*", withURL("https://hooks.example.com/other")),
			ourHook("3", "change", "deal", isStrange), ourHook("4", "*", "*", withURL("http://hooks.example.com/events/pipedrive")),
			ourHook("5", "*", "*", withURL("https://hooks.example.com:8443/events/pipedrive")), ourHook("6", "*", "*", withURL("://")),
		}, []string{"+missing *.*"}},
		{"the URL spelled otherwise", []topic{all}, "", []pipedrive.Webhook{
			ourHook("1", "*", "*", withURL("HTTPS://Hooks.Example.com:443/events/pipedrive")),
		}, nil},
		{"what Pipedrive does not say", []topic{all}, "12", []pipedrive.Webhook{ourHook("1", "*", "*", isSilent)}, nil},
		{"banned", []topic{all}, "", []pipedrive.Webhook{ourHook("1", "*", "*", isBanned)}, []string{"+inactive *.* -1"}},
		{"401", []topic{all}, "", []pipedrive.Webhook{ourHook("1", "*", "*", isRefused)}, []string{"+refused *.* -1"}},
		{"503 is the door's business", []topic{all}, "", []pipedrive.Webhook{ourHook("1", "*", "*", withStatus(503))}, nil},
		{"another version", []topic{all}, "", []pipedrive.Webhook{ourHook("1", "*", "*", isOld)}, []string{"+version *.* -1"}},
		{"another user", []topic{all}, "12", []pipedrive.Webhook{ourHook("1", "*", "*", withUser("13"))}, []string{"+user *.* -1"}},
		{"any user", []topic{all}, "", []pipedrive.Webhook{ourHook("1", "*", "*", withUser("13"))}, nil},
		{"equals: the lowest id stays", []topic{all}, "", []pipedrive.Webhook{
			ourHook("100", "*", "*"), ourHook("99", "*", "*"), ourHook("101", "*", "*"),
		}, []string{"duplicate *.* -100", "duplicate *.* -101"}},
		{"of equals, the lowest that is in order", []topic{all}, "", []pipedrive.Webhook{
			ourHook("1", "*", "*", isBanned), ourHook("2", "*", "*"), ourHook("3", "*", "*"),
		}, []string{"inactive *.* -1", "duplicate *.* -3"}},
		{"equals without one in order", []topic{all}, "", []pipedrive.Webhook{
			ourHook("2", "*", "*", isRefused), ourHook("1", "*", "*", isBanned),
		}, []string{"+inactive *.* -1 -2"}},
		{"other events", []topic{leads}, "", []pipedrive.Webhook{ourHook("1", "*", "*"), ourHook("2", "change", "deal", isBanned)}, []string{
			"+missing create.lead", "unwanted *.* -1", "unwanted change.deal -2",
		}},
		{"re-creations before what is new before removals", []topic{leads, deals}, "", []pipedrive.Webhook{
			ourHook("1", "*", "*"), ourHook("2", "change", "deal", isBanned),
		}, []string{"+inactive change.deal -2", "+missing create.lead", "unwanted *.* -1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := wanted{url: ourURL, name: ourName, version: "2.0", user: test.user, topics: test.topics}
			assert.Equal(t, test.want, inLines(plan(want, test.present)))
		})
	}
}
