package output

import (
	"strings"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

// InspectCallback reads the configuration of a pipedrive_callback, in YAML and without its name, for the command
// `check`. It posts nothing; the client has to be closed.
func InspectCallback(where checkup.Where, yaml string, res *service.Resources) (c checkup.Callback, err error) {
	conf, err := callbackSpec().ParseYAML(yaml, nil)
	if err != nil {
		return c, err
	}
	parsed, err := parseCallbackConfig(conf)
	if err != nil {
		return c, err
	}
	path := strings.Split(strings.TrimPrefix(where.Path, "root."), ".")
	c = checkup.Callback{Where: where, Replayed: replayedForEver(path)}
	c.Header, c.Unknown = parsed.known()
	c.Client, err = parsed.newClient(res)
	return c, err
}
