package poll_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACustomListNeedsNoOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rows []string
		for i := range 100 {
			at := time.Date(1999, 1, 1, 0, (i*37)%100, 0, 0, time.UTC)
			rows = append(rows, fmt.Sprintf(`{"id":%d,"add_time":"1999-01-01 00:00:00","update_time":"%s"}`, i+1, at.Format("2006-01-02 15:04:05")))
		}
		s := &stub{answer: func(r *http.Request, start, limit int) string { return page(rows, start, limit) }}
		o, err := entity.Custom{Name: "things", Path: "/v1/things", UpdatedField: "update_time", CreatedField: "add_time", Since: "updated_since", Paging: "auto", PageSize: 10}.Object()
		require.NoError(t, err)
		got, _, done := runStub(t, s, o, 500, 50*time.Second, &logLines{})
		defer done()
		ids := map[string]bool{}
		for _, c := range got {
			ids[c.id] = true
		}
		assert.Len(t, ids, 100, "records of 100; requests %d", s.requests)
	})
}

func TestACustomListWithASortOfItsOwnRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rows []string
		for i := range 100 {
			rows = append(rows, fmt.Sprintf(`{"id":%d,"add_time":"1999-01-01 00:00:00","update_time":"1999-01-01 00:00:00"}`, i+1))
		}
		s := &stub{answer: func(r *http.Request, start, limit int) string { return page(rows, start, limit) }}
		o, err := entity.Custom{Name: "things", Path: "/v1/things?sort=id", UpdatedField: "update_time", CreatedField: "add_time", Since: "updated_since", Paging: "offset", PageSize: 10}.Object()
		require.NoError(t, err)
		got, _, done := runStub(t, s, o, 500, 50*time.Second, &logLines{})
		defer done()
		assert.Len(t, got, 100)
	})
}

func TestACustomListIsAskedForNoOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q string
		s := &stub{answer: func(r *http.Request, start, limit int) string { q = r.URL.RawQuery; return page(nil, 0, limit) }}
		o, err := entity.Custom{Name: "things", Path: "/v1/things", UpdatedField: "modified", CreatedField: "created", Since: "since", Paging: "offset", PageSize: 10}.Object()
		require.NoError(t, err)
		_, _, done := runStub(t, s, o, 500, 5*time.Second, &logLines{})
		defer done()
		assert.NotContains(t, q, "update_time")
	})
}

// API v1 ignores a parameter that it does not know: the whole list comes with every walk.
func TestAListThatIgnoresTheTimeItIsAskedForIsOneWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := []string{
			`{"id":1,"add_time":"1999-01-01 00:00:00","update_time":"1999-01-01 00:00:00"}`,
			`{"id":2,"add_time":"1999-01-01 00:00:00","update_time":"1999-01-02 00:00:00"}`,
		}
		s := &stub{answer: func(_ *http.Request, start, limit int) string { return page(rows, start, limit) }}
		o, err := entity.Custom{Name: "things", Path: "/v1/things", UpdatedField: "update_time", CreatedField: "add_time", Since: "update_since", Paging: "offset"}.Object()
		require.NoError(t, err)
		log := &logLines{}
		_, _, done := runStub(t, s, o, 500, 10*time.Minute, log)
		defer done()
		require.Len(t, log.all(), 1)
		assert.Contains(t, log.all()[0], "The list of things holds a record of 1999-01-01T00:00:00Z, though it was asked for update_since from ")
	})
}
