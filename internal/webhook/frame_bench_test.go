package webhook_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// The frame of a deal's webhook of 1.1 KB, and the same read with encoding/json, without its checks.
func BenchmarkParse(b *testing.B) {
	body := []byte(dealV2)
	require.InDelta(b, 1100, len(body), 100)
	b.Run("frame", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := webhook.Parse(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding_json", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var v struct {
				Data struct {
					Update string `json:"update_time"`
					Add    string `json:"add_time"`
				} `json:"data"`
				Meta struct {
					Action      string `json:"action"`
					Entity      string `json:"entity"`
					EntityID    string `json:"entity_id"`
					ID          string `json:"id"`
					Company     string `json:"company_id"`
					User        string `json:"user_id"`
					Webhook     string `json:"webhook_id"`
					Host        string `json:"host"`
					Source      string `json:"change_source"`
					Correlation string `json:"correlation_id"`
					Timestamp   string `json:"timestamp"`
					Version     string `json:"version"`
					Attempt     int    `json:"attempt"`
					Bulk        bool   `json:"is_bulk_edit"`
				} `json:"meta"`
			}
			if err := json.Unmarshal(body, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
