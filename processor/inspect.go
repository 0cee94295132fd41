package processor

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

// InspectNormalize reads the configuration of a pipedrive_normalize, in YAML and without its name, for the command
// `check`. It starts nothing; the client has to be closed. nil: it asks Pipedrive nothing.
func InspectNormalize(where checkup.Where, yaml string, res *service.Resources) (*checkup.Reader, error) {
	conf, err := normalizeSpec().ParseYAML(yaml, nil)
	if err != nil {
		return nil, err
	}
	c, err := parseNormalizeConfig(conf)
	if err != nil || !c.resolve {
		return nil, err
	}
	r, err := c.connection.Inspect(where, res)
	return &r, err
}
