//go:build !no_kafka

package main

// Kafka links one file that is not open source: internal/serviceaccount/oauth2.go of Redpanda Connect (the OAuth login
// of Redpanda Cloud), under the Redpanda Community License. Who wants none of it builds with -tags no_kafka.
import _ "github.com/redpanda-data/connect/v4/public/components/kafka"
