package journal

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// eachEntry is for Journal.view.
func eachEntry(do func(Entry)) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		return visit(tx, func(_ uint64, s stored, _ int, _ uint32) error {
			e, err := s.entry()
			do(e)
			return err
		})
	}
}

func FuzzReadStored(f *testing.F) {
	e := Entry{Lane: "12345/deal/101", Key: "k", Accepted: time.Unix(1, 0), Meta: map[string]string{"a": "b"}, Body: []byte("{}")}
	f.Add(e.appendTo(nil))
	f.Add((&Entry{}).appendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= sumSize {
			seal(b) // or the fuzzer would never get past it
		}
		s, err := readStored(b)
		if err != nil {
			assert.ErrorIs(t, err, errTorn)
			return
		}
		e, err := s.entry()
		if err != nil {
			assert.ErrorIs(t, err, errTorn)
			return
		}
		s, err = readStored(e.appendTo(nil))
		require.NoError(t, err)
		again, err := s.entry()
		require.NoError(t, err)
		assert.Equal(t, e, again)
	})
}
