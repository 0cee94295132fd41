// Package boltcache is the `bolt` cache: keys and values in one bbolt file, durable, with expiry, shared by
// every component of the process that names the same file. Importing it registers the cache.
package boltcache

import (
	"errors"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
)

const (
	bcFieldPath       = "path"
	bcFieldTimeout    = "timeout"
	bcFieldDefaultTTL = "default_ttl"
)

// positiveDuration is a lint rule; parse checks the same, because lint can be skipped. It does without
// parse_duration: the host reads a rule when the package is initialised, and the package with that method is later in
// the alphabet, so that every configuration would be told that the rule is broken.
const positiveDuration = `root = if !this.string().re_match("^[+]?(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|ms|s|m|h))+$") || !this.string().re_match("[1-9]") { ["must be a duration above zero, like 1s or 24h"] }`

func init() {
	service.MustRegisterCache("bolt", spec(), func(conf *service.ParsedConfig, _ *service.Resources) (service.Cache, error) {
		c, err := parse(conf)
		if err != nil {
			return nil, err
		}
		return c, nil
	})
}

func spec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Beta().
		Version("0.1.0").
		Summary("Keeps keys and values in one local file: durable, safe after a crash, no server needed.").
		Description(`
Made for small, precious state: the cursor of `+"`pipedrive_poll`"+`, a rotated OAuth token, the marks of a `+"`dedupe`"+`. The file is a [bbolt](https://github.com/etcd-io/bbolt) database.

- **Durable.** A write returns after the file was synced to disk. Writes that arrive together share one sync, so throughput grows with concurrency. Neither `+"`kill -9`"+` nor a power cut loses a write that returned or leaves half of one.
- **Shared.** All caches of a process whose `+"`path`"+` is the same file, by whatever symbolic links, share it and see the same keys, in other streams too. Give two users of one file different keys.
- **One process.** The file is locked while it is in use. When another process holds it, or it cannot be opened, every operation fails with an error that says so, and the next operation tries again: an input that loads its cursor from here is not ready until then, and continues by itself. Replicas on several machines need a networked cache instead.
- **Bounded.** Expired keys read as missing at once, and each write removes some of them. The file never shrinks, freed space is used again. A key may have 1 to 32760 bytes, a value up to 64 MiB.

To copy the file, stop the process first.`).
		Fields(
			service.NewStringField(bcFieldPath).
				Description("The file. A relative path begins at the working directory of the process. Missing folders are created with mode 0700 and the file with mode 0600, on first use. Must be on a local disk: network file systems do not lock reliably. Must not be a file that something else, such as a webhook journal, keeps open.").
				LintRule(`root = if this == "" { ["is empty, must name a file"] }`).
				Example("./state/benthos-pipedrive.db").
				Example("/var/lib/benthos-pipedrive/state.db"),
			service.NewDurationField(bcFieldTimeout).
				Description("How long one operation waits for the file while another process holds it, before it fails with an error that says so. The default is enough for the old process to let go during a restart; the caller tries again anyway. Must be above zero.").
				Default("1s").
				Example("5s").
				LintRule(positiveDuration).
				Advanced(),
			service.NewDurationField(bcFieldDefaultTTL).
				Description("How long a key lives when its writer does not say. Absent: for ever, which is what a cursor or a token needs. The `dedupe` processor never says, so give a cache of its own (the file may be the same) a value here, or its marks stay for ever. A key keeps the lifetime it was written with when this is changed.").
				Optional().
				Example("24h").
				LintRule(positiveDuration).
				Advanced(),
		).
		Example("The cursor of a poll",
			"The input continues where it was, however the process ended.", `
input:
  label: crm
  pipedrive_poll:
    api_token: ${PIPEDRIVE_API_TOKEN}
    checkpoint_cache: state

output:
  stdout: {}

cache_resources:
  - label: state
    bolt:
      path: ./state/benthos-pipedrive.db
`).
		Example("Marks that expire, in the same file",
			"Webhooks of the last day are recognised when they come again, across restarts. (The processor `dedupe` makes its marks before an output has the message: with a cache that outlives a crash it drops what was on its way. Give that one a cache in memory.)", `
input:
  pipedrive_webhook:
    address: 0.0.0.0:8080
    credentials: [ { username: hook, password: "${HOOK_PASSWORD}" } ]
    dedupe:
      window: 24h
      cache: seen

output:
  stdout: {}

cache_resources:
  - label: seen
    bolt:
      path: ./state/benthos-pipedrive.db
`)
}

// parse refuses what no amount of waiting makes right. The file is not touched: whether it can be opened is the
// world's business, and the callers of the cache have a back-off for that.
func parse(conf *service.ParsedConfig) (*cache, error) {
	c := &cache{}
	var err error
	if c.path, err = conf.FieldString(bcFieldPath); err != nil {
		return nil, err
	}
	if c.path == "" {
		return nil, errors.New("path: is empty, must name a file")
	}
	if c.timeout, err = conf.FieldDuration(bcFieldTimeout); err != nil {
		return nil, err
	}
	if c.timeout <= 0 {
		return nil, errors.New("timeout: is " + c.timeout.String() + ", must be above zero")
	}
	if c.ttl, err = parseDefaultTTL(conf); err != nil {
		return nil, err
	}
	return c, nil
}

// parseDefaultTTL returns nil when the field is absent.
func parseDefaultTTL(conf *service.ParsedConfig) (*time.Duration, error) {
	if !conf.Contains(bcFieldDefaultTTL) {
		return nil, nil
	}
	ttl, err := conf.FieldDuration(bcFieldDefaultTTL)
	if err != nil {
		return nil, err
	}
	if ttl <= 0 {
		return nil, errors.New("default_ttl: is " + ttl.String() + ", must be above zero, or absent for keys that live for ever")
	}
	return &ttl, nil
}
