package simulator_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func field(t *testing.T, s *simulator.Simulator, name, id, path string) gjson.Result {
	t.Helper()
	body, found := s.Get(name, id)
	require.True(t, found)
	return gjson.GetBytes(body, path)
}

func TestAddAndUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(everything(10))
		now := s.Now().Format(time.RFC3339)
		id := s.Add("deals", simulator.Fields{"title": "Renewal & <more>", "invented": []int{1, 2}})
		assert.Equal(t, "11", id)
		assert.Equal(t, "Renewal & <more>", field(t, s, "deals", id, "title").Str)
		assert.Equal(t, "[1,2]", field(t, s, "deals", id, "invented").Raw)
		assert.Equal(t, "open", field(t, s, "deals", id, "status").Str)
		assert.Equal(t, now, field(t, s, "deals", id, "add_time").Str)
		assert.Equal(t, now, field(t, s, "deals", id, "update_time").Str)

		s.Advance(90*time.Second + 400*time.Millisecond)
		before, _ := s.Get("deals", "3")
		s.Update("deals", "3", simulator.Fields{"value": 12.5, "custom_fields": simulator.Fields{"k": 1}})
		after, _ := s.Get("deals", "3")
		assert.Equal(t, "12.5", gjson.GetBytes(after, "value").Raw)
		assert.Equal(t, s.Now().Format("2006-01-02T15:04:05Z"), gjson.GetBytes(after, "update_time").Str, "in whole seconds")
		assert.Equal(t, gjson.GetBytes(before, "add_time").Str, gjson.GetBytes(after, "add_time").Str)
		assert.Equal(t, len(keysOf(gjson.GetBytes(before, "custom_fields")))+1, len(keysOf(gjson.GetBytes(after, "custom_fields"))))
		assert.Equal(t, keysOf(gjson.ParseBytes(before)), keysOf(gjson.ParseBytes(after)), "fields keep their order")

		lead := s.IDs("leads")[0]
		s.Touch("leads", lead)
		assert.Equal(t, s.Now().Format("2006-01-02T15:04:05.000Z"), field(t, s, "leads", lead, "update_time").Str, "leads have milliseconds")
		s.Touch("notes", "1")
		assert.Equal(t, s.Now().Format("2006-01-02 15:04:05"), field(t, s, "notes", "1", "update_time").Str)
	})
}

func TestTouchMovesOnlyTheTime(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(3))
	before, _ := s.Get("deals", "2")
	s.Touch("deals", "2")
	after, _ := s.Get("deals", "2")
	old := gjson.GetBytes(before, "update_time").Raw
	assert.NotEqual(t, old, gjson.GetBytes(after, "update_time").Raw)
	assert.Equal(t, string(before), strings.Replace(string(after), `"update_time":`+gjson.GetBytes(after, "update_time").Raw, `"update_time":`+old, 1))
}

func TestAddManyIsOneSecond(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	many := s.AddMany("deals", 1500)
	times := map[string]bool{}
	for _, id := range many {
		times[field(t, s, "deals", id, "update_time").Str] = true
	}
	assert.Len(t, many, 1500)
	assert.Len(t, times, 1)
}

func TestFreshRecordQuirks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Quirks: simulator.Quirks{AddTimeEarlier: true}})
		id := s.Add("deals", nil)
		assert.Equal(t, s.Now().Format(time.RFC3339), field(t, s, "deals", id, "update_time").Str)
		assert.Equal(t, s.Now().Add(-time.Second).Format(time.RFC3339), field(t, s, "deals", id, "add_time").Str)
		s.SetQuirks(func(q *simulator.Quirks) { q.NullUpdateTime = true })
		id = s.Add("deals", nil)
		assert.Equal(t, "null", field(t, s, "deals", id, "update_time").Raw)
		assert.Equal(t, id, get(t, s, "/api/v2/deals?sort_by=update_time&limit=1").json("data.0.id").String(), "null sorts first")
		s.Touch("deals", id)
		assert.Equal(t, s.Now().Format(time.RFC3339), field(t, s, "deals", id, "update_time").Str)
	})
}

func TestDeletedDealsAreShownToWhoAsksFor30Days(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 4})
		now := s.Now().Format(time.RFC3339)
		s.Delete("deals", "2")
		assert.Equal(t, []string{"1", "3", "4"}, ids(get(t, s, "/api/v2/deals").json("data").Array()))
		row := get(t, s, "/api/v2/deals?status=deleted").json("data.0")
		assert.Equal(t, "2", row.Get("id").Raw)
		assert.Equal(t, "true", row.Get("is_deleted").Raw)
		assert.Equal(t, "deleted", row.Get("status").Str)
		assert.Equal(t, now, row.Get("update_time").Str)
		assert.Len(t, get(t, s, "/api/v2/deals?status=open,won,lost,deleted").json("data").Array(), 4)
		assert.Len(t, s.State("deals"), 4)

		s.SetQuirks(func(q *simulator.Quirks) { q.DeletedKeepsStatus = true })
		status := field(t, s, "deals", "3", "status").Str
		s.Delete("deals", "3")
		assert.Equal(t, status, field(t, s, "deals", "3", "status").Str)
		assert.Len(t, get(t, s, "/api/v2/deals?status=deleted").json("data").Array(), 2)
		assert.NotContains(t, ids(get(t, s, "/api/v2/deals?status="+status).json("data").Array()), "3")

		s.Advance(30*24*time.Hour - time.Second)
		assert.Len(t, get(t, s, "/api/v2/deals?status=deleted").json("data").Array(), 2)
		s.Advance(time.Second)
		assert.Empty(t, get(t, s, "/api/v2/deals?status=deleted").json("data").Array())
		assert.Equal(t, http.StatusNotFound, get(t, s, "/api/v2/deals/2").status)
		assert.Len(t, s.State("deals"), 2)
	})
}

func TestOtherDeletedRecordsVanish(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(3))
	for _, name := range []string{"persons", "organizations", "activities", "products", "pipelines", "stages"} {
		s.Delete(name, "2")
		assert.Equal(t, []string{"1", "3"}, ids(get(t, s, paths[name]).json("data").Array()), name)
		assert.Equal(t, []string{"1", "3"}, s.IDs(name))
		assert.True(t, get(t, s, paths[name]+"/2").json("data.is_deleted").Bool())
		s.SetQuirks(func(q *simulator.Quirks) { q.DeletedNotFound = true })
		assert.Equal(t, http.StatusNotFound, get(t, s, paths[name]+"/2").status)
		s.SetQuirks(func(q *simulator.Quirks) { q.DeletedNotFound = false })
	}
	for _, name := range []string{"leads", "notes", "files", "call_logs", "users", "tasks"} {
		id := s.IDs(name)[1]
		s.Delete(name, id)
		assert.NotContains(t, ids(get(t, s, paths[name]).json("data").Array()), id, name)
		if strings.HasPrefix(paths[name], "/v1") {
			assert.Equal(t, http.StatusNotFound, get(t, s, paths[name]+"/"+id).status)
		}
	}
	s.Delete("projects", "2")
	assert.Len(t, get(t, s, "/api/v2/projects").json("data").Array(), 2)
	assert.Equal(t, "2", get(t, s, "/api/v2/projects?status=deleted").json("data.0.id").Raw)
}

func TestArchive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(everything(3))
		now := s.Now().Format(time.RFC3339)
		for _, name := range []string{"deals", "leads", "projects"} {
			id := s.IDs(name)[0]
			s.Archive(name, id)
			assert.NotContains(t, ids(get(t, s, paths[name]).json("data").Array()), id)
			row := get(t, s, paths[name]+"/archived").json("data.0")
			assert.Equal(t, id, row.Get("id").String())
			assert.NotEqual(t, "null", row.Get("archive_time").Raw)
			assert.Equal(t, http.StatusOK, get(t, s, paths[name]+"/"+id).status)
			s.Unarchive(name, id)
			assert.Empty(t, s.State(name+"_archived"))
			assert.Equal(t, "null", field(t, s, name, id, "archive_time").Raw)
			assert.Len(t, s.State(name), 3)
			assert.Equal(t, "true", field(t, s, name, s.Add(name+"_archived", simulator.Fields{"is_archived": true}), "is_archived").Raw)
		}
		assert.Equal(t, now, field(t, s, "deals", "1", "update_time").Str)
		s.SetQuirks(func(q *simulator.Quirks) { q.ArchiveKeepsUpdateTime = true })
		before := field(t, s, "deals", "2", "update_time").Str
		s.Archive("deals", "2")
		assert.Equal(t, before, field(t, s, "deals", "2", "update_time").Str)
		assert.True(t, field(t, s, "deals", "2", "is_archived").Bool())
	})
}

func TestMistakesOfTheTestPanic(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 1})
	assert.PanicsWithValue(t, `simulator: there is no list of "deal"`, func() { s.Add("deal", nil) })
	assert.PanicsWithValue(t, `simulator: there is no record "2" in deals`, func() { s.Touch("deals", "2") })
	s.Purge("deals", "1")
	assert.Panics(t, func() { s.Touch("deals", "1") })
	assert.Empty(t, s.IDs("deals"))
}

func TestMutateIsPlausibleAndRepeatable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := func() (all []string, state map[string][]byte) {
			s := simulator.New(simulator.Options{Seed: 5, Deals: 50, Persons: 20, Organizations: 10})
			rng := rand.New(rand.NewPCG(1, 2))
			for range 300 {
				all = append(all, s.Mutate(rng))
			}
			return all, s.State("deals")
		}
		first, state := lines()
		again, stateAgain := lines()
		assert.Equal(t, first, again)
		assert.Equal(t, state, stateAgain)
		for _, what := range []string{"deals ", " won: ", " lost: ", " created: ", " deleted: ", " moved to another stage: ", "persons ", "organizations "} {
			assert.Contains(t, strings.Join(first, "\n"), what)
		}
		for _, body := range state {
			if gjson.GetBytes(body, "status").Str == "won" {
				assert.NotEqual(t, "null", gjson.GetBytes(body, "won_time").Raw)
			}
		}
	})
}

func TestKeepChanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		var said []string
		s.KeepChanging(ctx, 5, func(line string) { said = append(said, line) })
		assert.Len(t, said, 50)
		s.KeepChanging(t.Context(), 0, nil)
	})
}
