//go:build !no_kafka

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKafkaIsThere(t *testing.T) {
	t.Parallel()
	assert.Subset(t, listed(t)["outputs"], []string{"kafka", "kafka_franz"})
}
