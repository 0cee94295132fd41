package pipedrive

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// defined is what the account says itself.
func defined(sim *simulator.Simulator, list string) []entity.Field {
	var all []entity.Field
	for _, f := range sim.CustomFields(list) {
		field := entity.Field{Key: f.Key, Name: f.Name, Type: f.Type}
		for _, o := range f.Options {
			if field.Options == nil {
				field.Options = map[string]string{}
			}
			field.Options[fmt.Sprint(o.ID)] = o.Label
		}
		all = append(all, field)
	}
	return all
}

func TestFieldsOfEveryObjectAreReadWhole(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Burst: 10_000})
	c := dial(t, sim.URL(), as(sim))
	for _, o := range entity.All() {
		if o.Fields == "" {
			_, err := c.Fields(t.Context(), o)
			require.ErrorContains(t, err, "no such list", o.Name)
			continue
		}
		fields, err := c.Fields(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, defined(sim, o.Name), fields, o.Name)
	}
	assert.EqualValues(t, sim.TokensSpent(), c.Spend().Tokens, "the catalogue's costs are those that are charged")
}

func TestFieldsAreReadOverAllPages(t *testing.T) {
	t.Parallel()
	for _, quirks := range []simulator.Quirks{{}, {NoLastCursor: true}, {NullAdditionalData: true}} {
		sim := simulator.RunT(t, simulator.Options{NoCustomFields: true, Quirks: quirks})
		for i := range 1000 {
			sim.AddField("deals", fmt.Sprintf("Field %d", i), "varchar")
		}
		c := dial(t, sim.URL(), as(sim))
		fields, err := c.Fields(t.Context(), *row("deals"))
		require.NoError(t, err)
		assert.Equal(t, defined(sim, "deals"), fields)
		assert.Equal(t, 3, sim.Count("/api/v2/dealFields"))
		assert.EqualValues(t, 30, c.Spend().Tokens)
	}
}

func TestFieldsFollowWhatPeopleDo(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	c := dial(t, sim.URL(), as(sim))
	old := sim.CustomFields("deals")
	sim.RenameField("deals", old[0].Key, `Grüße & "more"`)
	sim.DeleteField("deals", old[2].Key)
	sim.AddOption("deals", old[1].Key, "Diamond")
	sim.RemoveOption("deals", old[1].Key, old[1].Options[0].ID)
	fields, err := c.Fields(t.Context(), *row("deals"))
	require.NoError(t, err)
	assert.Equal(t, defined(sim, "deals"), fields)
	assert.Equal(t, `Grüße & "more"`, fields[0].Name)
}

func TestFieldsTakeWhatPipedriveMaySend(t *testing.T) {
	t.Parallel()
	const key = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
	frame := func(row string) string {
		return `{"success":true,"data":[` + row + `],"additional_data":{"next_cursor":null}}`
	}
	custom := func(rest string) string {
		return frame(`{"field_code":"` + key + `","field_name":"Tier","field_type":"enum","is_custom_field":true` + rest + `}`)
	}
	plain := []entity.Field{{Key: key, Name: "Tier", Type: "enum"}}
	with := func(options map[string]string) []entity.Field {
		return []entity.Field{{Key: key, Name: "Tier", Type: "enum", Options: options}}
	}
	for _, test := range []struct {
		name, body string
		want       []entity.Field
	}{
		{"options null", custom(`,"options":null`), plain},
		{"no options", custom(``), plain},
		{"options that are no list", custom(`,"options":{"17":"Gold"}`), plain},
		{"string ids", custom(`,"options":[{"id":"gold","label":"Gold"}]`), with(map[string]string{"gold": "Gold"})},
		{"large ids", custom(`,"options":[{"id":9007199254740993,"label":"Gold"}]`), with(map[string]string{"9007199254740993": "Gold"})},
		{"a label that is null", custom(`,"options":[{"id":1,"label":null}]`), with(map[string]string{"1": ""})},
		{"options without an id", custom(`,"options":[{"label":"x"},{"id":null},7,null,{"id":1,"label":"Gold"}]`), with(map[string]string{"1": "Gold"})},
		{"built in", frame(`{"field_code":"title","field_name":"Title","field_type":"varchar","is_custom_field":false}`), nil},
		{"rows that name nothing", frame(`null,7,{},{"is_custom_field":true},{"field_code":"x"}`), nil},
		{"nothing", `{"success":true,"data":[]}`, nil},
		{"null", `{"success":true,"data":null,"additional_data":null}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			fields, err := dial(t, serve(t, say(200, test.body))).Fields(t.Context(), *row("deals"))
			require.NoError(t, err)
			assert.Equal(t, test.want, fields)
		})
	}
}

func TestAnAnswerThatIsNoListOfFieldsIsGarbled(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"success":true,"data":{}}`, `{"success":true}`, `{"success":true,"data":"x"}`, `[]`, `{"data":[]}`} {
		_, err := dial(t, serve(t, say(200, body))).Fields(t.Context(), *row("deals"))
		requireLater(t, err, KindGarbled)
	}
}

func TestFieldsAreAskedForWithWhatPipedriveTakes(t *testing.T) {
	t.Parallel()
	var queries []string
	answers := []string{`{"success":true,"data":[],"additional_data":{"next_cursor":"a+b/c="}}`, `{"success":true,"data":[]}`}
	c := dial(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/api/v2/dealFields", r.URL.Path)
		queries = append(queries, r.URL.RawQuery)
		say(200, answers[len(queries)-1])(w, r)
	}))
	_, err := c.Fields(t.Context(), *row("leads"))
	require.NoError(t, err)
	assert.Equal(t, []string{"limit=500", "limit=500&cursor=a%2Bb%2Fc%3D"}, queries, "leads have the deals'")
}

func TestAListOfFieldsThatTurnsInACircleEnds(t *testing.T) {
	t.Parallel()
	asked := 0
	c := dial(t, "https://acme.example", func(cfg *Config) { cfg.APIToken = "t" }, via(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("X-Ratelimit-Limit", "100000")
		w.Header().Set("X-Ratelimit-Remaining", "99999")
		say(200, `{"success":true,"data":[],"additional_data":{"next_cursor":"again"}}`)(w, r)
	})))
	_, err := c.Fields(t.Context(), *row("deals"))
	assert.ErrorContains(t, err, "more than 100 pages")
	requireLater(t, err, KindGarbled)
	assert.Equal(t, mostFieldPages, asked)
}

func TestTroublesWithFieldsAreJudged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault simulator.Fault
		want  any
	}{
		{"a 500", simulator.Status(500), new(*LaterError)},
		{"a body cut short", simulator.Truncated(), new(*LaterError)},
		{"no body", simulator.Empty(), new(*LaterError)},
		{"success false", simulator.Unsuccessful(), new(*LaterError)},
		{"the daily budget", simulator.Daily429(), new(*LaterError)},
		{"Cloudflare", simulator.Cloudflare403(), new(*LaterError)},
		{"a missing scope", simulator.Scope403(), new(*ForbiddenError)},
		{"a refused token", simulator.Unauthorized401(), new(*CredentialError)},
		{"a refused cursor", simulator.BadCursor(), new(*RefusedError)},
	} {
		t.Run(test.name, func(t *testing.T) {
			sim := simulator.RunT(t, simulator.Options{NoCustomFields: true})
			for range 600 {
				sim.AddField("deals", "x", "varchar")
			}
			sim.FailNext(test.fault.On("/api/v2/dealFields"))
			c := dial(t, sim.URL(), as(sim))
			fields, err := c.Fields(t.Context(), *row("deals"))
			require.ErrorAs(t, err, test.want)
			assert.True(t, strings.HasPrefix(err.Error(), "listing fields of deals: GET /api/v2/dealFields"), err.Error())
			assert.Nil(t, fields, "no half of a list passes for the whole")
		})
	}
}

func TestFieldsStayInsideTheShare(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{DailyBudget: 100})
	c := dial(t, sim.URL(), as(sim), func(cfg *Config) { cfg.DailyShare = 0.25 })
	for range 3 {
		_, _ = c.Fields(t.Context(), *row("deals"))
	}
	asked := sim.Count("")
	_, err := c.Fields(t.Context(), *row("deals"))
	requireLater(t, err, KindShare)
	assert.Equal(t, asked, sim.Count(""), "refused here, not there")
	assert.LessOrEqual(t, sim.TokensSpent(), 30)
}

func FuzzReadFields(f *testing.F) {
	f.Add(`{"success":true,"data":[{"field_code":"k","field_name":"n","field_type":"set","is_custom_field":true,"options":[{"id":1,"label":"a"}]}]}`)
	f.Add(`{"success":true,"data":[{"field_code":7,"is_custom_field":true,"options":[null,[],{"id":"\\u0041"}]}],"additional_data":{"next_cursor":"c"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		fields, _, err := readFields([]byte(body))
		if err != nil {
			assert.Nil(t, fields)
		}
		for _, field := range fields {
			assert.NotEmpty(t, field.Key)
			assert.NotContains(t, field.Options, "")
		}
	})
}
