package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// standard decodes with the standard library.
func standard(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err = d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err = d.Token(); err != io.EOF {
		return nil, errors.New("text after the end")
	}
	return v, nil
}

// likeTheStandardLibrary asserts that both make the same of a text, or refuse it.
func likeTheStandardLibrary(t *testing.T, text []byte) {
	t.Helper()
	want, refused := standard(text)
	got, err := Decode(text)
	if refused != nil {
		require.Error(t, err, "%q", text)
		return
	}
	require.NoError(t, err, "%q", text)
	require.Equal(t, want, got, "%q", text)
}

func TestDecodeDoesAsTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`, `[]`, `null`, `true`, `false`, ` "a" `, `-0.50e+3`, `12345678901234567890`, `{"a":[],"b":{},"c":[{}],"d":[[1],[2,3]]}`,
		`{"a":1,"b":{"c":[1,"2",null,{"d":true}],"e":""},"f":2500.10}`, `{"a":1,"a":2,"b":3}`, `{"":0}`,
		`{"caf\u00e9":"\ud83d\ude00 \ud83d x \\ \" \/ \b\f\n\r\t"}`, "{\"a\":\"\xff\xfe\",\"\xff\":1}", `{"é":"日本"}`,
		``, ` `, `{`, `[1,`, `{"a":}`, `{"a" 1}`, `{"a":1}{`, `[] x`, `{"a":"\x"}`, `nul`, `01`, "\xef\xbb\xbf{}",
	} {
		likeTheStandardLibrary(t, []byte(text))
	}
	_, err := Decode([]byte(strings.Repeat("[", deepest+1)))
	assert.ErrorIs(t, err, ErrDeep)
}

// What was decoded does not change with the bytes, or with what is decoded next.
func TestDecodedStaysAsItIs(t *testing.T) {
	t.Parallel()
	text := []byte(`{"a":["x",1,{"b":"y"}],"c":"z"}`)
	want, err := standard(text)
	require.NoError(t, err)
	got, err := Decode(text)
	require.NoError(t, err)
	copy(text, `{"A":["X",2,{"B":"Y"}],"C":"Z"}`)
	_, err = Decode(text)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				v, err := Decode(text)
				assert.NoError(t, err)
				assert.Len(t, v, 2)
			}
		})
	}
	all.Wait()
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e3,"x\u0041",{"b":null}],"c":true,"c":[]}`))
	f.Add([]byte("{\"\xff\":\"\\ud800\"}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) < deepest {
			likeTheStandardLibrary(t, text)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(`{"data":{"id":8801,"title":"Kestrel Freight: forklift lease","value":18250.75,"label_ids":[6,11],"custom_fields":{"0000000000000000000000000000000000000001":{"type":"enum","id":17}},"won_time":null,"is_archived":false,"add_time":"2026-10-02T07:30:11Z","update_time":"2026-11-18T13:05:42Z"},"previous":{"stage_id":4},"meta":{"action":"change","entity":"deal","entity_id":"8801","permitted_user_ids":["11","12"]}}`)
	for name, decode := range map[string]func([]byte) (any, error){"encoding_json": standard, "scan": Decode} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := decode(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
