package instance

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The places of mistakes are in the text, whatever the text is.
func TestMistakesArePlaced(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, json string
		want       string
	}{
		{"a curly quote instead of a straight one", "{\n  \"a\": “b”\n}", `line 2, column 8: a curly quote “ instead of "`},
		{"the end of a text alone is curly", "{ \"a”: 1, \"b\": 2 }", `line 1, column 5: a curly quote ” instead of "`},
		{"characters are counted, not bytes", "{ \"ключ\": “b\" }", `line 1, column 11: a curly quote “ instead of "`},
		{"a curly quote within a text is none of ours", "{ \"a\": \"it’s “b”\", }", `line 1, column 18: a comma before }`},
		{"a comma at the end of a list", "[1, 2,\n]", `line 1, column 6: a comma before ]`},
		{"a comment between the comma and the bracket", "[1, /* two */\n]", `line 1, column 3: a comma before ]`},
		{"no comment within a text", "{ \"a\": \"https://b\" /* c */ }", `line 1, column 20: a comment`},
		{"a comment without an end", "{ /* a", `line 1, column 3: a comment`},
		{"an escaped quote does not end a text", `{ "a\"": 'b' }`, `line 1, column 10: a ' instead of "`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &findings{text: []byte(test.json)}
			assert.Nil(t, parse(f))
			require.NotEmpty(t, f.problems)
			assert.Contains(t, f.problems[0].String(), test.want)
		})
	}
}

// A file of nothing but mistakes is answered with some of them.
func TestMistakesAreNotEndless(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("“", 100_000), strings.Repeat("'\n", 100_000), strings.Repeat("\"“\"", 100_000), strings.Repeat(",}", 100_000)} {
		f := &findings{text: []byte(text)}
		assert.Nil(t, parse(f))
		assert.Len(t, f.problems, mostProblems+1)
		assert.Contains(t, f.problems[mostProblems].Text, "more")
	}
}

func TestOfAKeyThatStandsTwiceTheLastCounts(t *testing.T) {
	t.Parallel()
	f := &findings{text: []byte(`{ "a": 1, "b": 2, "a": 3 }`)}
	v := parse(f)
	require.NotNil(t, v)
	assert.Equal(t, map[string]any{"a": json.Number("3"), "b": json.Number("2")}, v.plain())
	require.Len(t, f.warnings, 1)
	assert.Equal(t, "line 1, column 19: a: stands here for the second time; this one counts", f.warnings[0].String())
}
