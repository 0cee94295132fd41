package boltcache

import (
	"path/filepath"
	"testing"
	"time"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure" // the builder wants a tracer named none
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	day := 24 * time.Hour
	for _, test := range []struct {
		name, yaml, errContains string
		want                    *cache
	}{
		{"defaults", "path: a.db", "", &cache{path: "a.db", timeout: time.Second}},
		{"all", "{path: a.db, timeout: 5s, default_ttl: 24h}", "", &cache{path: "a.db", timeout: 5 * time.Second, ttl: &day}},
		{"empty lifetime", `{path: a.db, default_ttl: ""}`, "default_ttl", nil},
		{"no path", "{}", "'path' is required", nil},
		{"empty path", `path: ""`, "path: is empty", nil},
		{"no wait", "{path: a.db, timeout: 0s}", "timeout: is 0s, must be above zero", nil},
		{"bad wait", "{path: a.db, timeout: soon}", "timeout", nil},
		{"negative lifetime", "{path: a.db, default_ttl: -1s}", "default_ttl: is -1s, must be above zero", nil},
		{"bad lifetime", "{path: a.db, default_ttl: long}", "default_ttl", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			conf, err := spec().ParseYAML(test.yaml, nil)
			var got *cache
			if err == nil {
				got, err = parse(conf)
			}
			if test.errContains != "" {
				require.ErrorContains(t, err, test.errContains)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestLint(t *testing.T) {
	linter := service.GlobalEnvironment().NewComponentConfigLinter()
	for _, test := range []struct {
		yaml  string
		lints int
	}{
		{"bolt: { path: a.db }", 0},
		{"bolt: { path: '${STATE:a.db}', timeout: 100ms, default_ttl: 24h }", 0},
		{"bolt: {}", 1},
		{"bolt: { path: '' }", 1},
		{"bolt: { path: a.db, timeout: 1h2m3.5s, default_ttl: 10us }", 0},
		{"bolt: { path: a.db, timeout: 0s }", 1},
		{"bolt: { path: a.db, timeout: 5 }", 1},
		{"bolt: { path: a.db, timeout: never }", 1},
		{"bolt: { path: a.db, default_ttl: -1h }", 1},
		{"bolt: { path: a.db, bucket: b }", 1},
	} {
		lints, err := linter.LintCacheYAML([]byte(test.yaml))
		require.NoError(t, err)
		assert.Len(t, lints, test.lints, "%s: %v", test.yaml, lints)
	}
}

// The real host: built without touching the disk, shared by two resources, closed with them.
func TestAsAResource(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "state", "state.db")
	builder := service.NewResourceBuilder()
	require.NoError(t, builder.AddCacheYAML("label: state\nbolt: { path: "+path+" }"))
	require.NoError(t, builder.AddCacheYAML("label: seen\nbolt: { path: "+path+", default_ttl: 1h }"))
	resources, closeAll, err := builder.Build()
	require.NoError(t, err)
	assert.NoDirExists(t, filepath.Dir(path), "nothing is opened before it is used")

	ctx := t.Context()
	require.NoError(t, resources.AccessCache(ctx, "state", func(c service.Cache) {
		_, err := c.Get(ctx, "cursor")
		require.ErrorIs(t, err, service.ErrKeyNotFound)
		require.NoError(t, c.Set(ctx, "cursor", []byte("v"), nil))
	}))
	require.NoError(t, resources.AccessCache(ctx, "seen", func(c service.Cache) {
		require.ErrorIs(t, c.Add(ctx, "cursor", nil, nil), service.ErrKeyAlreadyExists)
	}))
	require.NoError(t, closeAll(ctx))
	assert.Equal(t, 0, registered(folder))
}
