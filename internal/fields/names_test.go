package fields

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

func TestNamesDiffer(t *testing.T) {
	t.Parallel()
	const almostTier = "a1b2c3ffffffffffffffffffffffffffffffffff"
	for _, test := range []struct {
		name   string
		called map[string]string // by key
		want   map[string]string
	}{
		{"different names stay", map[string]string{tier: "Tier", region: "tier"}, map[string]string{tier: "Tier", region: "tier"}},
		{
			"of one name",
			map[string]string{tier: "Tier", region: "Tier", unknown: "Other"},
			map[string]string{tier: "Tier [a1b2c3]", region: "Tier [0f1e2d]", unknown: "Other"},
		},
		{"no name", map[string]string{tier: "", region: ""}, map[string]string{tier: tier, region: region}},
		{
			"of one name and one beginning",
			map[string]string{tier: "Tier", almostTier: "Tier"},
			map[string]string{tier: "Tier [" + tier + "]", almostTier: "Tier [" + almostTier + "]"},
		},
		{
			"a name that looks like ours",
			map[string]string{tier: "Tier", region: "Tier", unknown: "Tier [a1b2c3]"},
			map[string]string{tier: "Tier [" + tier + "]", region: "Tier [0f1e2d]", unknown: "Tier [a1b2c3] [" + unknown + "]"},
		},
		{"a short key", map[string]string{"a": "Tier", "b": "Tier"}, map[string]string{"a": "Tier [a]", "b": "Tier [b]"}},
		{"nothing", nil, map[string]string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var list []entity.Field
			for key, name := range test.called {
				list = append(list, entity.Field{Key: key, Name: name, Type: "set", Options: map[string]string{"1": "a"}})
			}
			got := map[string]string{}
			for key, f := range Names(list) {
				got[key] = f.Name
				assert.Equal(t, entity.Field{Key: key, Name: f.Name, Type: "set", Options: map[string]string{"1": "a"}}, f)
			}
			assert.Equal(t, test.want, got)
		})
	}
}
