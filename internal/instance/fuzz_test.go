package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func seeds(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/*.json", "testdata/refused/*.json"} {
		for _, file := range files(f, pattern) {
			f.Add(contents(f, file))
		}
	}
}

// anyVariable is what the host replaces in a configuration, wherever it stands.
var anyVariable = regexp.MustCompile(`\$\{([0-9A-Za-z_.]+)(:[^}]*)?\}`)

// No bytes make the reader panic. What it takes becomes a configuration without mistakes that reads the variables we name
// and no others; what it refuses has its reasons.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		i, warnings, err := Read(data)
		for _, w := range warnings {
			requireOneLine(t, w)
		}
		if err != nil {
			refusal := (*Refusal)(nil)
			require.True(t, errors.As(err, &refusal))
			require.NotEmpty(t, refusal.Problems)
			for _, p := range refusal.Problems {
				requireOneLine(t, p)
			}
			return
		}
		pipeline, variables := i.Pipeline()
		requireVariables(t, pipeline, variables)
		page, variables := sheet{Instance: i, stream: "s1"}.write()
		requireVariables(t, page, variables)
		for _, page := range [][]byte{pipeline, page} {
			requireTexts(t, page, i)
		}
	})
}

// requireTexts wants what stands in a page to be what the instance says, and a text, whatever YAML takes bare words for.
func requireTexts(t *testing.T, page []byte, i *Instance) {
	t.Helper()
	var read struct {
		Input struct {
			Poll struct {
				ID     any              `yaml:"instance_id"`
				Custom []map[string]any `yaml:"custom_objects"`
			} `yaml:"pipedrive_poll"`
		}
		Output struct {
			Fallback []struct {
				Switch struct {
					Cases []struct {
						Output struct {
							Callback struct{ Headers map[string]any } `yaml:"pipedrive_callback"`
						}
					}
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(page, &read), "%s", page)
	for _, h := range i.Callback.Headers {
		written := read.Output.Fallback[0].Switch.Cases[1].Output.Callback.Headers[h.Name]
		require.IsType(t, "", written, h.Name)
		if h.Value != "" {
			require.Equal(t, h.Value, written, h.Name)
		}
	}
	if i.Polling == nil {
		return
	}
	if i.ID != "" {
		require.Equal(t, i.ID, read.Input.Poll.ID)
	}
	require.Len(t, read.Input.Poll.Custom, len(i.Polling.Custom))
	for n, c := range i.Polling.Custom {
		for field, said := range map[string]string{
			"name": c.Name, "path": c.Path, "id_field": c.IDField, "updated_field": c.UpdatedField, "updated_format": c.UpdatedFormat,
			"created_field": c.CreatedField, "created_format": c.CreatedFormat, "time_zone": c.TimeZone, "since_parameter": c.Since,
		} {
			if said != "" {
				require.Equal(t, said, read.Input.Poll.Custom[n][field], field)
			}
		}
	}
}

// Whatever an instance calls its things, the pipeline calls them so.
func TestBareWordsOfYAMLStayTexts(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"null", "true", "No", "on", "~", "1e3", "0x1f", "1_000", "2026-11-20", "a: b", "- a", "#a", "a #b", "*a", "&a", "!a", "%a", "@a", "`a", "{a}", "[a]", "'", `"`, `\`, "\u2028", "\u0085", "é", "${A}", "${A:b}", "a\nb", ".inf", "<<", "="} {
		i, _, err := Read(pollingInstance(t, keys{
			"null": keys{"url": "/hubs/crm/null", "idField": word, "datesConfiguration": keys{"updatedDateField": word, "createdDateField": word}},
			"true": keys{"url": "/hubs/crm/true"},
		}, keys{keyCallbackHeaders: keys{"Accept": word, "Null": word}}))
		require.NoError(t, err, "%q", word)
		page, _ := i.Pipeline()
		requireTexts(t, page, i)
	}
}

func requireOneLine(t *testing.T, p Problem) {
	t.Helper()
	require.NotEmpty(t, p.Text)
	require.True(t, utf8.ValidString(p.String()))
	require.NotContains(t, p.String(), "\n")
}

// requireVariables wants each variable without a default to be one that is listed, and the other way round.
func requireVariables(t *testing.T, page []byte, listed []Variable) {
	t.Helper()
	var read, named []string
	for _, found := range anyVariable.FindAllSubmatch(page, -1) {
		if len(found[2]) == 0 {
			read = append(read, string(found[1]))
		}
	}
	for _, v := range listed {
		named = append(named, v.Name)
	}
	slices.Sort(read)
	slices.Sort(named)
	require.Equal(t, named, read)
	require.Equal(t, slices.Compact(slices.Clone(named)), named)
	const reason = "reject: ${! @unreadable.what }" // a query, which is no variable
	require.Equal(t, 1, bytes.Count(page, []byte(reason)), "%s", page)
	require.Equal(t, bytes.Count(page, []byte("${")), len(anyVariable.FindAll(page, -1))+1, "%s", page)
}

// The reader takes what encoding/json takes, and finds in it what encoding/json finds.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &findings{text: data}
		v := parse(in)
		data = bytes.TrimPrefix(data, byteOrderMark)
		if valid := json.Valid(data) && utf8.Valid(data); !valid {
			require.Nil(t, v)
			require.NotEmpty(t, in.problems)
			return
		}
		require.NotNil(t, v)
		require.Empty(t, in.problems)
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want any
		require.NoError(t, d.Decode(&want))
		assert.Equal(t, want, v.plain())
		requirePlaces(t, data, v)
	})
}

// plain is a value as encoding/json has it.
func (v *value) plain() any {
	switch v.kind {
	case null:
		return nil
	case boolean:
		return v.scalar == "true"
	case number:
		return json.Number(v.scalar)
	case text:
		return v.scalar
	case list:
		items := []any{}
		for _, item := range v.items {
			items = append(items, item.plain())
		}
		return items
	}
	members := map[string]any{}
	for _, m := range v.members {
		members[m.key] = m.value.plain()
	}
	return members
}

// requirePlaces wants every value to begin where it says.
func requirePlaces(t *testing.T, data []byte, v *value) {
	t.Helper()
	begins := map[kind]string{null: "n", boolean: "tf", number: "-0123456789", text: `"`, list: "[", object: "{"}
	require.Contains(t, begins[v.kind], string(data[v.at]))
	for i := range v.items {
		requirePlaces(t, data, &v.items[i])
	}
	for _, m := range v.members {
		require.Equal(t, byte('"'), data[m.at])
		requirePlaces(t, data, &m.value)
	}
}
