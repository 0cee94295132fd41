package cursor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
)

func somePosition() *cursor.Position {
	return &cursor.Position{
		Account:   cursor.Account{Company: "12345", Host: "acme.pipedrive.com"},
		Object:    "deals",
		StartFrom: "beginning",
		Main: cursor.Track{
			Since: second(1),
			Walk: &cursor.Walk{
				Since: second(1), Began: second(50), Cursor: "abc", Start: 99, Edge: "7", Last: second(9),
				Restarted: true, Disorderly: true, Records: 100, Pages: 2, From: second(2),
			},
			Window: cursor.Window{"9007199254740993": {At: second(9), Hash: cursor.HashOf([]byte("x"), false)}},
		},
		Look: cursor.Track{
			Since:  second(3),
			Window: cursor.Window{"8": {At: second(8), Hash: cursor.HashOf([]byte("y"), true)}},
		},
		Full: &cursor.Full{Known: map[string]cursor.Hash{"7": 0xfedcba9876543210}, Missing: []string{"7"}},
	}
}

func TestPositionSurvivesStorage(t *testing.T) {
	stored, err := somePosition().Encode()
	require.NoError(t, err)
	read, err := cursor.Decode(stored)
	require.NoError(t, err)
	want := somePosition()
	want.Version = cursor.Version
	assert.Equal(t, want, read)
}

func TestDecodeRefusesInWords(t *testing.T) {
	for _, test := range []struct{ name, stored, errContains string }{
		{"nothing", ``, "damaged: it is empty"},
		{"half of it", `{"v":1,"company_id":"1","obj`, "damaged"},
		{"not JSON", "\x00\x00\x00", "damaged"},
		{"something else", `{}`, "damaged: it has no version"},
		{"no company", `{"v":1,"object":"deals"}`, "names no company"},
		{"a newer version", `{"v":2,"company_id":"1","object":"deals"}`, "version 2, written by a newer release"},
		{"no place to go on from", `{"v":1,"company_id":"1","object":"deals","start_from":"now","main":{}}`, "does not say from where to go on"},
		{"a bad hash", `{"v":1,"company_id":"1","object":"deals","main":{"window":{"7":{"hash":"zz"}}}}`, "damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := cursor.Decode([]byte(test.stored))
			require.ErrorContains(t, err, test.errContains)
		})
	}
}

func TestDecodeLetsUnknownFieldsPass(t *testing.T) {
	p, err := cursor.Decode([]byte(`{"v":1,"company_id":"1","object":"deals","first":true,"from_the_future":{"a":1}}`))
	require.NoError(t, err)
	assert.Equal(t, "deals", p.Object)
}

func TestPositionBelongsToOneCompanyAndObject(t *testing.T) {
	p := somePosition()
	require.NoError(t, p.Belongs(cursor.Account{Company: "12345", Host: "renamed.pipedrive.com"}, "deals"))
	require.ErrorContains(t, p.Belongs(cursor.Account{Company: "999", Host: "other.pipedrive.com"}, "deals"),
		"belongs to company 12345 (acme.pipedrive.com), the credential to company 999 (other.pipedrive.com)")
	require.ErrorContains(t, p.Belongs(p.Account, "persons"), "it is of deals, not of persons")
}

func TestApplyToACloneLeavesTheOriginal(t *testing.T) {
	p := somePosition()
	c := p.Clone()
	c.Apply(cursor.Step{
		Seen:  []cursor.Seen{{ID: "new", Sighting: cursor.Sighting{At: second(30)}}},
		Keep:  second(30),
		Since: second(20), Walked: second(25),
		Forget:   []string{"7"},
		Timeless: []cursor.Seen{{ID: "timeless", Sighting: cursor.Sighting{At: second(30)}}},
	})
	assert.Equal(t, somePosition(), p)
	assert.Equal(t, cursor.Window{"new": {At: second(30)}}, c.Main.Window, "what is older than Keep is forgotten")
	assert.Empty(t, c.Full.Known)
	assert.Empty(t, c.Full.Missing)
	assert.Equal(t, second(20), c.Main.Since)
	assert.Nil(t, c.Main.Walk)
}

func TestFirstLookBeginsWhereTheFirstWalkDid(t *testing.T) {
	p := &cursor.Position{First: true}
	p.Apply(cursor.Step{Since: second(5), Walked: second(6), LookSince: second(5)})
	assert.False(t, p.First)
	assert.Equal(t, second(5), p.Look.Since)
	p.Apply(cursor.Step{Since: second(9), LookSince: second(9)})
	assert.Equal(t, second(5), p.Look.Since, "later walks do not move the look")
	p.Apply(cursor.Step{Look: true, Since: second(8)})
	assert.Equal(t, second(8), p.Look.Since)
	assert.Equal(t, second(9), p.Main.Since)
}

func FuzzDecode(f *testing.F) {
	stored, err := somePosition().Encode()
	require.NoError(f, err)
	f.Add(stored)
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, stored []byte) {
		p, err := cursor.Decode(stored)
		if err != nil {
			return
		}
		require.NotEmpty(t, p.Company)
		require.LessOrEqual(t, p.Version, cursor.Version)
		p.Apply(cursor.Step{Known: []cursor.Seen{{ID: "1"}}, Seen: []cursor.Seen{{ID: "1"}}})
		_, err = p.Encode()
		require.NoError(t, err)
	})
}

func TestAPositionSaysFromWhereReadingGoesOn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC)
	for want, p := range map[string]cursor.Position{
		"from the beginning":                    {First: true},
		"from 2026-11-20T09:15:00Z":             {Main: cursor.Track{Since: at}},
		"in its first walk after 12500 records": {First: true, Main: cursor.Track{Since: at, Walk: &cursor.Walk{Records: 12500}}},
		"from 2026-11-20T09:15:01Z":             {Main: cursor.Track{Since: at, Walk: &cursor.Walk{Since: at.Add(time.Second)}}},
	} {
		assert.Equal(t, want, p.Whence())
	}
}
