package poll_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestFullReadsReportWhatDiffers(t *testing.T) {
	for _, object := range []string{"pipelines", "stages", "users", "projects", "tasks", "activity_types"} {
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Pipelines: 6, Stages: 6, Users: 6, Projects: 1100, Tasks: 6, ActivityTypes: 6, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.read(object)
				w.pass(time.Minute)
				first := w.news()
				require.Len(t, first, len(w.sim.State(object)))
				assert.Equal(t, poll.Snapshot, first[0].action)

				ids := w.sim.IDs(object)
				w.sim.Update(object, ids[2], changed(1))
				made := w.sim.Add(object, changed(2))
				w.pass(15 * time.Minute)
				assert.ElementsMatch(t, []string{"updated " + object + " " + ids[2], "created " + object + " " + made}, w.lines())
				w.pass(time.Hour)
				assert.Empty(t, w.lines())

				w.stop()
				w.read(object)
				w.pass(time.Hour)
				assert.Empty(t, w.lines(), "a restart repeats nothing")
			})
		})
	}
}

func TestAVanishedRecordIsDeletedOnceItIsSure(t *testing.T) {
	t.Run("its own GET says 404", func(t *testing.T) {
		inWorld(t, simulator.Options{Users: 5, DailyBudget: plenty, Quirks: simulator.Quirks{DeletedNotFound: true}}, func(t *testing.T, w *world) {
			w.read("users")
			w.pass(time.Minute)
			require.Len(t, w.news(), 5)
			id := w.sim.IDs("users")[2]
			w.sim.Purge("users", id)
			w.pass(15 * time.Minute)
			came := w.news()
			require.Len(t, came, 1)
			assert.Equal(t, poll.Deleted, came[0].action)
			assert.JSONEq(t, `{"id": `+id+`}`, came[0].json)
			w.pass(time.Hour)
			assert.Empty(t, w.lines(), "once")
		})
	})
	for name, fault := range map[string]simulator.Fault{
		"an error": simulator.Status(500), "a missing permission": simulator.Scope403(), "a page of something in between": simulator.Cut(),
	} {
		t.Run("two readings miss it where its own GET is "+name, func(t *testing.T) {
			inWorld(t, simulator.Options{Users: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.read("users")
				w.pass(time.Minute)
				require.Len(t, w.news(), 5)
				id := w.sim.IDs("users")[2]
				w.sim.FailAlways(fault.On("/v1/users/" + id))
				w.sim.Purge("users", id)
				w.pass(15 * time.Minute)
				assert.Empty(t, w.lines(), "it is not sure yet")
				w.pass(15 * time.Minute)
				assert.Equal(t, []string{"deleted users " + id}, w.lines())
			})
		})
	}
	t.Run("two readings miss it where it has no GET", func(t *testing.T) {
		inWorld(t, simulator.Options{DailyBudget: plenty}, func(t *testing.T, w *world) {
			w.read("activity_types")
			w.pass(time.Minute)
			require.Len(t, w.news(), 6)
			id := w.sim.IDs("activity_types")[2]
			w.sim.Purge("activity_types", id)
			w.pass(15 * time.Minute)
			assert.Empty(t, w.lines())
			w.pass(15 * time.Minute)
			assert.Equal(t, []string{"deleted activity_types " + id}, w.lines())
		})
	})
	t.Run("an archived project lives on", func(t *testing.T) {
		inWorld(t, simulator.Options{Projects: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
			w.read("projects")
			w.pass(time.Minute)
			require.Len(t, w.news(), 5)
			id := w.sim.IDs("projects")[1]
			w.sim.Archive("projects", id)
			w.pass(15 * time.Minute)
			came := w.news()
			require.Len(t, came, 1)
			assert.Equal(t, "updated projects "+id, came[0].String())
			assert.NotContains(t, came[0].json, `"archive_time":null`)
			w.pass(time.Hour)
			assert.Empty(t, w.lines())
		})
	})
}

// A process that goes on with the reading of one before it has not seen the first pages: what they held is not missing.
func TestAReadingThatWasGoneOnWithDeletesNothing(t *testing.T) {
	inWorld(t, simulator.Options{Projects: 350, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 100
		w.sim.OnRequest(stopAfter(w, 3))
		w.read("projects")
		w.pass(time.Second)
		w.stop()
		require.Len(t, w.news(), 200)

		w.sim.OnRequest(nil)
		w.sim.Heal()
		w.read("projects")
		w.pass(time.Minute)
		assert.Len(t, w.news(), 150)
		w.pass(time.Hour)
		assert.Empty(t, w.lines())
	})
}

func TestNothingIsDeletedAfterAFault(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault simulator.Fault
	}{
		{"an error", simulator.Status(500)},
		{"a missing permission", simulator.Scope403()},
		{"a list that is suddenly empty", simulator.EmptyList()},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, simulator.Options{Users: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.read("users")
				w.pass(time.Minute)
				require.Len(t, w.news(), 5)
				w.sim.FailAlways(test.fault.On("/v1/users"))
				w.pass(2 * time.Hour)
				w.sim.Heal()
				w.pass(time.Hour)
				assert.Empty(t, w.lines())
			})
		})
	}
}

func TestFilesAreReadFromTheNewest(t *testing.T) {
	inWorld(t, simulator.Options{Files: 450, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.read("files")
		w.pass(time.Minute)
		first := w.news()
		require.Len(t, first, 450)
		assert.Zero(t, repeats(first))

		before := len(w.sim.Requests())
		ids := w.sim.IDs("files")
		w.sim.Update("files", ids[9], changed(1))
		made := w.sim.Add("files", changed(2))
		w.pass(15 * time.Minute)
		assert.ElementsMatch(t, []string{"updated files " + ids[9], "created files " + made}, w.lines())
		assert.Equal(t, 1, len(w.sim.Requests())-before, "the early stop: one page, not five")
		w.pass(time.Hour)
		assert.Empty(t, w.lines())
	})
}

func TestFilesThatGoMissingDuringTheFirstWalkHideNone(t *testing.T) {
	inWorld(t, simulator.Options{Files: 450, DailyBudget: plenty}, func(t *testing.T, w *world) {
		requests := 0
		w.sim.OnRequest(func(r *http.Request) {
			if requests++; strings.HasSuffix(r.URL.Path, "/files") && requests < 8 {
				ids := w.sim.IDs("files")
				w.sim.Delete("files", ids[len(ids)-1])
				w.sim.Delete("files", ids[len(ids)-2])
				w.sim.Update("files", ids[0], changed(requests))
			}
		})
		w.read("files")
		w.pass(time.Hour)
		came := w.news()
		w.requireCaughtUpButFor("files", came)
		assert.Less(t, repeats(came), 10, "where it turns it passes what came, but for ties")
	})
}

func TestCallLogsNeedNoOrder(t *testing.T) {
	for _, oldestFirst := range []bool{false, true} {
		inWorld(t, simulator.Options{CallLogs: 120, DailyBudget: plenty, Quirks: simulator.Quirks{OldestCallsFirst: oldestFirst}}, func(t *testing.T, w *world) {
			w.read("call_logs")
			w.pass(time.Minute)
			first := w.news()
			require.Len(t, first, 120)
			assert.Zero(t, repeats(first))
			made := w.sim.Add("call_logs", simulator.Fields{})
			w.pass(20 * time.Minute)
			assert.Equal(t, []string{"created call_logs " + made}, w.lines())
			w.pass(time.Hour)
			assert.Empty(t, w.lines())
		})
	}
}

func TestArchivedLeadsComeAndGoWithoutDeletions(t *testing.T) {
	inWorld(t, simulator.Options{Leads: 20, DailyBudget: plenty, Quirks: simulator.Quirks{ArchiveKeepsUpdateTime: true}}, func(t *testing.T, w *world) {
		w.read("leads_archived")
		w.pass(time.Minute)
		w.news()
		id := w.sim.IDs("leads")[4]
		w.sim.Archive("leads", id)
		w.pass(16 * time.Minute)
		assert.Equal(t, []string{"updated leads_archived " + id}, w.lines())
		w.sim.Unarchive("leads", id)
		w.pass(time.Hour)
		assert.Empty(t, w.lines())
		w.sim.Archive("leads", id)
		w.pass(16 * time.Minute)
		assert.Equal(t, []string{"updated leads_archived " + id}, w.lines())
	})
}

func TestAFullReadLargerThanTheShareTakesDays(t *testing.T) {
	inWorld(t, simulator.Options{Projects: 1100, Deals: 5, DailyBudget: 200}, func(t *testing.T, w *world) {
		w.config.PageSize = 100
		w.share = 0.5
		w.read("projects")
		for range 6 {
			w.pass(24 * time.Hour)
		}
		w.requireCaughtUp("projects", w.news())
	})
}

func TestAFullReadGoesOnAfterAFailure(t *testing.T) {
	inWorld(t, simulator.Options{Projects: 3000, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 10 // 300 pages
		n := 0
		w.sim.OnRequest(func(r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/v2/projects") {
				if n++; n%100 == 0 {
					w.sim.FailNext(simulator.Status(502))
				}
			}
		})
		w.read("projects")
		defer w.reviving()()
		w.pass(time.Hour)
		assert.Len(t, w.news(), 3000)
	})
}

func TestADeletionIsToldOnceThoughTheRecordVanishesLater(t *testing.T) {
	inWorld(t, simulator.Options{Projects: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.read("projects")
		w.pass(time.Minute)
		w.news()
		id := w.sim.IDs("projects")[1]
		w.sim.Delete("projects", id)
		w.pass(16 * time.Minute)
		assert.Equal(t, []string{"deleted projects " + id}, w.lines())
		w.pass(31 * 24 * time.Hour)
		assert.Empty(t, w.lines())
	})
}

func TestACallThatIsLoggedAfterItsEndIsSeen(t *testing.T) {
	for _, oldest := range []bool{false, true} {
		inWorld(t, simulator.Options{CallLogs: 5, DailyBudget: plenty, Quirks: simulator.Quirks{OldestCallsFirst: oldest}}, func(t *testing.T, w *world) {
			w.read("call_logs")
			w.pass(20 * time.Minute)
			w.news()
			made := w.sim.Add("call_logs", simulator.Fields{"start_time": w.sim.Now().Add(-10 * time.Minute)})
			w.pass(2 * time.Hour)
			assert.Equal(t, []string{"created call_logs " + made}, w.lines(), "oldest first %v", oldest)
		})
	}
}
