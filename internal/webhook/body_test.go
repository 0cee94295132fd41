package webhook

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIsJSON(t *testing.T) {
	for media, want := range map[string]bool{
		"application/json":                true,
		"application/json; charset=utf-8": true,
		"Application/JSON":                true,
		"application/cloudevents+json":    true,
		"text/plain":                      false,
		"text/x+json":                     false,
		"application/jsonp":               false,
		"":                                false,
		";":                               false,
	} {
		assert.Equal(t, want, isJSON(http.Header{"Content-Type": {media}}), media)
	}
	for encoding, want := range map[string]bool{"gzip": true, "GZIP": true, "identity": true, "br": false, "gzip, gzip": false} {
		assert.Equal(t, want, isJSON(http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {encoding}}), encoding)
	}
}

func zipped(t *testing.T, body io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.Copy(z, body)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReadBody(t *testing.T) {
	const most = 100
	exact, more := strings.Repeat("x", most), strings.Repeat("x", most+1)
	bomb := zipped(t, io.LimitReader(zeros{}, 5<<20))
	for _, test := range []struct {
		name     string
		body     string
		length   int64 // -1: chunked
		encoding string
		want     string
		err      error
	}{
		{"of a known length", exact, most, "", exact, nil},
		{"of no length", "", 0, "", "", nil},
		{"in chunks", exact, -1, "", exact, nil},
		{"in chunks, too large", more, -1, "", "", errTooLarge},
		{"shorter than it says", "xx", 3, "", "", io.ErrUnexpectedEOF},
		{"zipped", string(zipped(t, strings.NewReader(exact))), 0, "gzip", exact, nil},
		{"zipped, too large", string(zipped(t, strings.NewReader(more))), 0, "gzip", "", errTooLarge},
		{"zipped, and cut", string(zipped(t, strings.NewReader("x"))[:20]), 0, "gzip", "", io.ErrUnexpectedEOF},
		{"zipped, in chunks", string(zipped(t, strings.NewReader(exact))), -1, "gzip", exact, nil},
		{"zipped, too large already", string(zipped(t, io.LimitReader(rand.NewChaCha8([32]byte{}), 2*most))), -1, "gzip", "", errTooLarge},
		{"zipped, and it is not", exact, most, "gzip", "", gzip.ErrHeader},
		{"a bomb", string(bomb), -1, "gzip", "", errTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(test.body))
			if r.ContentLength = test.length; test.encoding != "" && test.length == 0 {
				r.ContentLength = int64(len(test.body))
			}
			if test.encoding != "" {
				r.Header.Set("Content-Encoding", test.encoding)
			}
			assert.LessOrEqual(t, weight(r, most), int64(most))
			body, err := readBody(httptest.NewRecorder(), r, most)
			require.ErrorIs(t, err, test.err)
			if test.err == nil {
				assert.Equal(t, test.want, string(body))
			}
		})
	}
}

// What a body would become takes no memory before it is known to be small enough.
func TestABombTakesNoRoom(t *testing.T) {
	const most = 1 << 20
	bomb := zipped(t, io.LimitReader(zeros{}, 64<<20))
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(bomb))
			r.Header.Set("Content-Encoding", "gzip")
			_, err := readBody(httptest.NewRecorder(), r, most)
			require.ErrorIs(b, err, errTooLarge)
		}
	})
	assert.Less(t, result.AllocedBytesPerOp(), int64(most/4))
}
