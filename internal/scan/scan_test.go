package scan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sound(text []byte) error { return (&Scanner{Text: text}).Document(nil) }

func TestScannerKeepsToTheGrammar(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`, ` { } `, `{"a":1}`, `{"a":-0.5e+3,"b":[1,2 , {"c":null}],"d":true,"e":false}`, `{"a":"\u00e9\"\\\/\b\f\n\r\t"}`,
		`{"a":0}`, `{"a":"é"}`, `{"":[]}`,
		``, ` `, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":01}`, `{"a":+1}`, `{"a":.5}`,
		`{"a":1.}`, `{"a":1e}`, `{"a":-}`, `{"a":tru}`, `{"a":nul`, `{"a":"x`, `{"a":"\x"}`, `{"a":"\u12g4"}`, `{"a":"\u12`, `{"a":"\`,
		"{\"a\":\"\n\"}", `{"a":[1,]}`, `{"a":[1`, `{"a":[1 2]}`, `{"a":[`, `{"a":1}}`, `{"a":1} x`, `{"a":NaN}`, `{"a":'b'}`,
	} {
		err := sound([]byte(text))
		assert.Equal(t, json.Valid([]byte(text)), err == nil, "%q: %v", text, err)
		assert.Equal(t, err == nil, (&Scanner{Text: []byte(text)}).Any() == nil, "%q", text)
	}
	for text, whole := range map[string]bool{`[]`: true, ` "a" `: true, `-1`: true, `null`: true, `[] []`: false, ``: false, `nul`: false} {
		assert.Equal(t, whole, (&Scanner{Text: []byte(text)}).Any() == nil, "%q", text)
		assert.Error(t, sound([]byte(text)), "%q", text)
	}
}

// Strings are walked eight bytes at a time.
func TestScannerLooksAtEveryByteOfAString(t *testing.T) {
	t.Parallel()
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				text := []byte(`{"a":"` + strings.Repeat("\xff", length) + `"}`)
				text[len(`{"a":"`)+at] = byte(c)
				require.Equal(t, json.Valid(text), sound(text) == nil, "%q", text)
			}
		}
	}
}

func TestScannerRefusesWhatIsNestedTooDeep(t *testing.T) {
	t.Parallel()
	nest := func(n int) []byte {
		return []byte(`{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)
	}
	assert.NoError(t, sound(nest(deepest-1)))
	assert.ErrorContains(t, sound(nest(deepest)), "nested too deep")
	assert.ErrorIs(t, sound([]byte(`{"a":`+strings.Repeat("[", 1<<20))), ErrDeep)
	assert.NoError(t, (&Scanner{Text: []byte(`[[]]`), Deepest: 2}).Any())
	assert.ErrorIs(t, (&Scanner{Text: []byte(`[[{}]]`), Deepest: 2}).Any(), ErrDeep)
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e3,"x\u0041",{"b":null}],"c":true}`))
	f.Add([]byte(`{"a":"` + "\x00" + `"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		err := sound(text)
		var object map[string]json.RawMessage
		valid := json.Valid(text) && json.Unmarshal(text, &object) == nil && object != nil
		if valid && strings.Count(string(text), "[")+strings.Count(string(text), "{") > deepest {
			return // may be too deep, which encoding/json allows
		}
		assert.Equal(t, valid, err == nil, "%v", err)
	})
}
