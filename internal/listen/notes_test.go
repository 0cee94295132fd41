package listen

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestATextIsSaidOnceAnHour(t *testing.T) {
	t.Parallel()
	var n notes
	now := time.Now()
	assert.True(t, n.isNew("a", now))
	assert.False(t, n.isNew("a", now.Add(59*time.Minute)))
	assert.True(t, n.isNew("b", now.Add(59*time.Minute)))
	assert.True(t, n.isNew("a", now.Add(time.Hour)))
}

func TestHowMuchStrangersMaySayIsBounded(t *testing.T) {
	t.Parallel()
	var n notes
	said, now := 0, time.Now()
	for i := range 10_000 {
		if n.isNew(fmt.Sprint(i), now) {
			said++
		}
	}
	assert.Equal(t, mostNotes, said)
	assert.Len(t, n.said, mostNotes)
}

func TestTheAddressOfAClientMakesNoNewComplaint(t *testing.T) {
	t.Parallel()
	var told book
	l := &listener{address: "here:1", mounts: []*Mount{{onError: told.write}}}
	for _, line := range []string{
		"http: TLS handshake error from 1.2.3.4:5678: EOF\n",
		"http: TLS handshake error from [2001:db8::1]:5678: EOF\n",
		"http: Accept error: too many open files; retrying in 5ms\n",
		"http: Accept error: too many open files; retrying in 1s\n",
	} {
		n, err := complaints{l}.Write([]byte(line))
		assert.NoError(t, err)
		assert.Equal(t, len(line), n)
	}
	assert.Equal(t, []string{
		"listener on here:1: http: TLS handshake error: EOF",
		"listener on here:1: http: Accept error: too many open files",
	}, told.read())
}
