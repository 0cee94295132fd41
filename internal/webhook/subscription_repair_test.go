package webhook

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestWhatIsWantedIsRegistered(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.cfg.Events, o.cfg.UserID = []string{"change.deal", "create.lead", "change.deal"}, "2"
		o.start()
		o.pass(2 * time.Second)
		assert.Equal(t, []string{"1 change.deal", "2 create.lead"}, o.hooks())
		for _, w := range o.sim.Webhooks() {
			assert.Equal(t, []any{ourURL, ourName, "2.0", int64(2), "hook", hookPassword},
				[]any{w.URL, w.Name, w.Version, w.UserID, w.Username, w.Password})
		}
		assert.Equal(t, []string{
			"INFO Webhook 1900001 registered at Pipedrive for change.deal",
			"INFO Webhook 1900002 registered at Pipedrive for create.lead",
		}, o.told())
		assert.Equal(t, []string{"created missing change.deal", "created missing create.lead"}, o.done())
		assert.Equal(t, 2, o.ordered)
	})
}

// The old webhook goes after the new one is there: nothing that changes in between is missed.
func TestASuccessorComesBeforeItsPredecessorGoes(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.start()
		o.pass(time.Minute)
		o.stop()
		o.sim.SetWebhook(1_900_001, func(w *simulator.Webhook) { w.Version = "1.0" })
		o.cfg.Events = []string{"change.*", "*.*"}
		o.sim.ForgetRequests()
		o.start()
		o.pass(time.Minute)
		var methods []string
		for _, r := range o.sim.Requests() {
			methods = append(methods, r.Method)
		}
		assert.Equal(t, []string{"GET", "POST", "POST", "DELETE", "GET"}, methods)
		assert.Equal(t, []string{"2 *.*", "3 change.*"}, o.hooks())
	})
}

func TestOtherEventsReplaceTheOldOnes(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.start()
		o.pass(time.Minute)
		o.stop()
		o.cfg.Events = []string{"create.deal", "delete.deal"}
		o.start()
		o.pass(time.Minute)
		assert.Equal(t, []string{"2 create.deal", "3 delete.deal"}, o.hooks())
		assert.Equal(t, "removed unwanted *.*", o.done()[3])
	})
}

func TestReplicasThatStartTogetherLeaveOneEach(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{2, 5} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			t.Parallel()
			inOffice(t, simulator.Options{DailyBudget: 1_000_000}, func(t *testing.T, o *office) {
				o.cfg.Events = []string{"create.deal", "delete.deal"}
				o.sim.FailAlways(simulator.Slow(100 * time.Millisecond)) // all of them see the empty list
				for range replicas {
					o.cfg.Client = o.client(o.sim.Transport())
					o.start()
				}
				o.pass(time.Minute)
				require.Len(t, o.sim.Webhooks(), 2*replicas, "they did come together")
				left := o.hooks()
				require.Len(t, left, 2)
				o.pass(time.Hour)
				assert.Equal(t, left, o.hooks())

				for _, w := range o.sim.Webhooks() {
					if w.Removed.IsZero() {
						o.sim.Ban(w.ID)
					}
				}
				o.pass(10 * time.Minute)
				assert.Len(t, o.hooks(), 2, "banned together, made anew together")
			})
		})
	}
}

func TestOthersWebhooksAreNeverTouched(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		others := []simulator.Webhook{
			{URL: ourURL, Name: "another name", Version: "1.0"},
			{URL: "https://old.example.com/events/pipedrive", Name: ourName},
			{URL: "https://n8n.example.com/hook", Name: "n8n", Action: "change", Object: "deal"},
		}
		for _, w := range others {
			o.sim.Ban(o.sim.Subscribe(w))
		}
		foreign := o.hooks()
		o.cfg.RemoveOnShutdown = true
		o.start()
		o.pass(time.Minute)
		assert.Equal(t, append(slices.Clone(foreign), "4 *.*"), o.hooks())
		o.sim.Ban(1_900_004)
		o.pass(5 * time.Minute)
		o.stop()
		assert.Equal(t, foreign, o.hooks())
		assert.Equal(t, []string{"created missing *.*", "recreated inactive *.*", "removed asked *.*"}, o.done())
		for _, r := range o.sim.Requests() {
			if r.Method == http.MethodDelete {
				assert.Contains(t, []string{"/v1/webhooks/1900004", "/v1/webhooks/1900005"}, r.Path)
			}
		}
	})
}

func TestWithFortyWebhooksThereIsOneWarningAndOursAreStillRepaired(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{DailyBudget: 1_000_000}, func(t *testing.T, o *office) {
		for range 39 {
			o.sim.Subscribe(simulator.Webhook{URL: "https://other.example.com", Name: "other"})
		}
		o.start()
		o.pass(12 * time.Minute)
		assert.Equal(t, "40 *.*", o.hooks()[39])
		lines := o.told()
		require.Len(t, lines, 2, "said once")
		assert.Contains(t, lines[1], "WARN Pipedrive has 40 webhooks of this user and allows 40")

		o.sim.Ban(1_900_040)
		o.pass(5 * time.Minute)
		assert.Len(t, o.hooks(), 40)
		assert.Equal(t, "41 *.*", o.hooks()[39], "the old one made room for the new one")
		assert.Equal(t, "recreated inactive *.*", o.done()[1])
		o.told()

		o.stop()
		posts := o.posts()
		o.cfg.Events = []string{"*.*", "change.deal", "change.lead"}
		o.start()
		o.pass(12 * time.Minute)
		assert.Len(t, o.hooks(), 40)
		assert.Equal(t, posts+3, o.posts(), "one attempt a look")
		lines = o.told()
		require.Len(t, lines, 2)
		assert.Contains(t, lines[1], "registering change.deal, change.lead: the user has as many webhooks as Pipedrive allows (40): creating a webhook: POST /v1/webhooks: 422")

		o.sim.Unsubscribe(1_900_001)
		o.sim.Unsubscribe(1_900_002)
		o.pass(5 * time.Minute)
		assert.Equal(t, 3, o.ordered)
	})
}

func TestAnEventThatPipedriveDoesNotKnowDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.cfg.Events = []string{"change.person"}
		o.start()
		o.pass(time.Second)
		o.stop()
		o.done()
		o.cfg.Events = []string{"change.unicorn", "change.deal"}
		o.start()
		o.pass(12 * time.Minute)
		assert.Equal(t, []string{"1 change.person", "2 change.deal"}, o.hooks(), "what is not wanted goes when all that is wanted is there")
		lines := strings.Join(o.told(), "\n")
		assert.Equal(t, 1, strings.Count(lines, "registering change.unicorn: creating a webhook: POST /v1/webhooks: 400 Bad Request: event_object: is not included in the list"), lines)
	})
}

func TestAURLThatCannotBeReachedIsAskedForOnceALook(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.cfg.URL, o.cfg.Events = "https://hooks.pipedrive.com/x", []string{"create.deal", "delete.deal"}
		o.start()
		o.pass(time.Second)
		assert.Len(t, o.sim.Requests(), 2, "one list, one attempt")
		assert.Contains(t, o.told()[0], "registering create.deal: creating a webhook: POST /v1/webhooks: 400 Bad Request: subscription_url: invalid or non-reachable URL")
	})
}

func TestSyncOnceAndItsPreview(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		report, err := Preview(t.Context(), o.cfg)
		require.NoError(t, err)
		assert.Equal(t, []Change{{Repair: RepairCreated, Reason: ReasonMissing, Event: "*.*"}}, report.Changes)
		assert.Empty(t, o.hooks())
		assert.Empty(t, o.done())

		report, err = Sync(t.Context(), o.cfg)
		require.NoError(t, err)
		assert.Equal(t, []Change{{Repair: RepairCreated, Reason: ReasonMissing, Event: "*.*", ID: "1900001"}}, report.Changes)
		require.Len(t, report.InOrder, 1)
		assert.Equal(t, 1, report.Total)

		o.sim.Ban(1_900_001)
		report, err = Preview(t.Context(), o.cfg)
		require.NoError(t, err)
		assert.Equal(t, []Change{{Repair: RepairRecreated, Reason: ReasonInactive, Event: "*.*", Instead: []string{"1900001"}}}, report.Changes)

		report, err = PreviewRemove(t.Context(), SubscriptionConfig{Client: o.cfg.Client, URL: ourURL, Name: ourName})
		require.NoError(t, err)
		want := []Change{{Repair: RepairRemoved, Reason: ReasonAsked, Event: "*.*", ID: "1900001"}}
		assert.Equal(t, want, report.Changes)
		require.NotEmpty(t, o.hooks())
		report, err = Remove(t.Context(), SubscriptionConfig{Client: o.cfg.Client, URL: ourURL, Name: ourName})
		require.NoError(t, err)
		assert.Equal(t, want, report.Changes)
		assert.Empty(t, o.hooks())
	})
}

func TestABannedWebhookStaysWhileItsSuccessorIsRefused(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.sim.Ban(o.sim.Subscribe(simulator.Webhook{URL: ourURL, Name: ourName, Action: "change", Object: "unicorn"}))
		o.cfg.Events = []string{"change.unicorn"}
		o.start()
		o.pass(time.Second)
		assert.Equal(t, []string{"1 change.unicorn"}, o.hooks(), "in half an hour it sends again")
	})
}

func TestAWebhookThatAnotherReplicaRemovedFirstIsNoError(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.sim.Ban(o.sim.Subscribe(simulator.Webhook{URL: ourURL, Name: ourName}))
		o.sim.OnRequest(func(r *http.Request) {
			if r.Method == http.MethodDelete {
				o.sim.Unsubscribe(1_900_001)
			}
		})
		o.start()
		o.pass(time.Minute)
		assert.Equal(t, []string{"2 *.*"}, o.hooks())
		assert.Zero(t, o.failed)
	})
}

// Pipedrive's list may be late: what was just made is not made again because it is missing there.
func TestTheSecondLookOnlyRemovesEquals(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.start()
		synctest.Wait()
		o.sim.Unsubscribe(1_900_001)
		o.pass(4 * time.Minute)
		assert.Equal(t, 1, o.posts())
		o.pass(2 * time.Minute)
		assert.Equal(t, []string{"2 *.*"}, o.hooks())
	})
}

// An account that writes a webhook down in another way than it was asked must not get one more at every look.
func TestAWebhookThatWouldNotBeRecognisedIsTakenBack(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.cfg.Client = o.client(renaming{o.sim.Transport()})
		o.start()
		o.pass(time.Hour)
		assert.Empty(t, o.hooks())
		require.Len(t, o.told(), 1)
	})
}

// renaming is an account that changes names.
type renaming struct{ http.RoundTripper }

func (r renaming) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	body = bytes.ReplaceAll(body, []byte(`"name":"`+ourName), []byte(`"name":"renamed`))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}
