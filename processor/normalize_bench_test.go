package processor

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// dealHook is a webhook of version 2.0 about a deal with so many custom fields, which so many users may see.
func dealHook(fields, users int) string {
	var custom, permitted []string
	for i := range fields {
		value := [...]string{
			`{"type":"monetary","value":2300.5,"currency":"EUR"}`, `{"type":"enum","id":17}`, `{"type":"varchar","value":"Dock 4"}`, `null`,
		}[i%4]
		custom = append(custom, fmt.Sprintf(`"%040x":%s`, i+1, value))
	}
	for i := range users {
		permitted = append(permitted, fmt.Sprintf(`"%d"`, 20410000+i))
	}
	return `{"data":{"id":8801,"title":"Kestrel Freight: forklift lease","status":"open","value":18250.75,"currency":"EUR","stage_id":5,"pipeline_id":2,` +
		`"person_id":612,"org_id":377,"owner_id":41,"creator_user_id":41,"add_time":"2026-10-02T07:30:11Z","update_time":"2026-11-18T13:05:42Z",` +
		`"stage_change_time":"2026-11-18T13:05:42Z","close_time":null,"won_time":null,"first_won_time":null,"lost_time":null,"lost_reason":null,` +
		`"expected_close_date":"2026-12-20","probability":40,"label_ids":[6,11],"visible_to":"3","origin":"ManuallyCreated","origin_id":null,` +
		`"channel":null,"channel_id":null,"is_archived":false,"archive_time":null,"custom_fields":{` + strings.Join(custom, ",") + `}},` +
		`"previous":{"stage_id":4},"meta":{"action":"change","entity":"deal","entity_id":"8801","company_id":"70551",` +
		`"id":"c1d5d0a2-1111-4a4a-9b9b-0a0b0c0d0e0f","correlation_id":"c1d5d0a2-2222-4a4a-9b9b-0a0b0c0d0e0f","is_bulk_edit":false,` +
		`"timestamp":"2026-11-18T13:05:42.913Z","type":"general","user_id":"41","version":"2.0","webhook_id":"2200417","webhook_owner_id":"41",` +
		`"change_source":"app","permitted_user_ids":[` + strings.Join(permitted, ",") + `],"attempt":1,"host":"kestrel.pipedrive.com"}}`
}

// dealHookMetadata is what pipedrive_webhook says of it.
var dealHookMetadata = map[string]string{
	spec.MetaVia: "webhook", spec.MetaSchema: "webhook_v2", spec.MetaObject: "deal", spec.MetaID: "8801", spec.MetaAction: "updated",
	spec.MetaTime: "2026-11-18T13:05:42Z", spec.MetaCompanyID: "70551", spec.MetaHost: "kestrel.pipedrive.com",
	spec.MetaEventID: "c1d5d0a2-1111-4a4a-9b9b-0a0b0c0d0e0f", spec.MetaCorrelationID: "c1d5d0a2-2222-4a4a-9b9b-0a0b0c0d0e0f",
	spec.MetaWebhookID: "2200417", spec.MetaAttempt: "1", spec.MetaUserID: "41", spec.MetaChangeSource: "app", spec.MetaBulk: "false",
	spec.MetaReceivedAt: "2026-11-18T13:05:43.207Z",
}

// BenchmarkNormalize sets the processor, from bytes to bytes and with the id, beside decoding and encoding the same body
// with the standard library.
func BenchmarkNormalize(b *testing.B) {
	conf, err := normalizeSpec().ParseYAML("", nil)
	require.NoError(b, err)
	n, err := newNormalize(conf, service.MockResources())
	require.NoError(b, err)
	for _, size := range []struct {
		name          string
		fields, users int
	}{
		{"2_fields", 2, 2},
		{"200_fields", 200, 2},
		{"400_users", 2, 400},
	} {
		body := dealHook(size.fields, size.users)
		b.Run(size.name+"/encoding_json", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				var v any
				if err := json.Unmarshal([]byte(body), &v); err != nil {
					b.Fatal(err)
				}
				if _, err := json.Marshal(v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(size.name+"/pipedrive_normalize", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			incoming := message(body, dealHookMetadata)
			for b.Loop() {
				msg := incoming.Copy()
				msg.SetBytes([]byte(body))
				out, err := n.ProcessBatch(b.Context(), service.MessageBatch{msg})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := out[0][0].AsBytes(); err != nil || out[0][0].GetError() != nil {
					b.Fatal(err, out[0][0].GetError())
				}
			}
		})
	}
}
