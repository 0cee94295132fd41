package event_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Jeffail/gabs/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

var forms = map[string]func(*event.Event) map[string]any{
	"event":       (*event.Event).Plain,
	"cloudevents": (*event.Event).CloudEvent,
	"elements":    (*event.Event).Elements,
	"debezium":    (*event.Event).Debezium,
}

// scene is a body and what is known about it.
type scene struct {
	name  string
	about event.About
	body  *gabs.Container
}

func scenes(t *testing.T) (all []scene) {
	t.Helper()
	files, err := filepath.Glob("testdata/bodies/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		whole := parse(t, content)
		about, err := json.Marshal(whole.Search("about").Data())
		require.NoError(t, err)
		s := scene{name: strings.TrimSuffix(filepath.Base(file), ".json"), body: whole.Search("body")}
		require.NoError(t, json.Unmarshal(about, &s.about))
		all = append(all, s)
	}
	return all
}

func sceneOf(t *testing.T, name string) scene {
	t.Helper()
	for _, s := range scenes(t) {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("there is no testdata/bodies/%s.json", name)
	return scene{}
}

func parse(t testing.TB, content []byte) *gabs.Container {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	body, err := gabs.ParseJSONDecoder(d)
	require.NoError(t, err)
	return body
}

func read(t testing.TB, s scene, o event.Options) *event.Event {
	t.Helper()
	e, err := event.Read(s.body, s.about, o)
	require.NoError(t, err, s.name)
	return e
}

// definitions are those of the custom fields in testdata/bodies.
var definitions = map[string]entity.Field{
	"4be1f0aa93c7d2568e01b7f3a5c94d6e8f2013b7": {Name: "Contract", Type: "monetary"},
	"9d20c8e7415b6fa3c2d1e0f9887766554433221a": {Name: "Tier", Type: "enum", Options: map[string]string{"16": "Silver", "17": "Gold"}},
	"c0ffee00112233445566778899aabbccddeeff00": {Name: "Regions", Type: "set", Options: map[string]string{"13": "North"}},
	"77a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3": {Name: "Depot", Type: "varchar"},
}

func TestEveryFormIsAsItsGoldenFile(t *testing.T) {
	t.Parallel()
	for _, s := range scenes(t) {
		for form, write := range forms {
			compare(t, filepath.Join("testdata", form, s.name+".json"), write(read(t, s, event.Options{})))
		}
		e := read(t, s, event.Options{Resolve: true, Fields: definitions})
		compare(t, filepath.Join("testdata", "resolved", s.name+".json"), e.Plain())
	}
}

func compare(t *testing.T, file string, got map[string]any) {
	t.Helper()
	var text bytes.Buffer
	encode := json.NewEncoder(&text)
	encode.SetEscapeHTML(false)
	encode.SetIndent("", "  ")
	require.NoError(t, encode.Encode(got))
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, text.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run with -update to write it")
	assert.Equal(t, string(want), text.String(), file)
}
