package input

import (
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
)

func TestAnInputWithoutATracerIsNotWrapped(t *testing.T) {
	in := &webhookInput{}
	assert.Same(t, in, traced("pipedrive_webhook", in, service.MockResources()))
}
