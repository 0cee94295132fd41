package pipedrive

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// dealsBody is a page of n deals of about 2 KB, with the fields of a REST v2 deal and 25 custom fields.
func dealsBody(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"success":true,"data":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"title":"Renewal of the yearly contract, lot %d","creator_user_id":11,"owner_id":12,"value":2500.5,`+
			`"currency":"EUR","person_id":501,"org_id":301,"stage_id":3,"pipeline_id":1,"add_time":"2026-11-01T08:00:00Z",`+
			`"update_time":"2026-11-20T09:%02d:%02dZ","stage_change_time":"2026-11-20T09:15:00Z","status":"open","is_archived":false,`+
			`"archive_time":null,"is_deleted":false,"probability":60,"lost_reason":null,"visible_to":3,"close_time":null,"won_time":null,`+
			`"lost_time":null,"local_won_date":null,"local_lost_date":null,"local_close_date":null,"expected_close_date":"2026-12-15",`+
			`"label_ids":[4,9],"origin":"ManuallyCreated","origin_id":null,"channel":52,"channel_id":"autumn fair","custom_fields":{`,
			100_000+i, i, i/60%60, i%60)
		for f := range 25 {
			if f > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"%040x":`, 0xabc0000+f*7919)
			switch f % 4 {
			case 0:
				fmt.Fprintf(&b, `{"value":%d,"currency":"EUR"}`, f*100)
			case 1:
				b.WriteString(`"a line that somebody wrote by hand"`)
			case 2:
				b.WriteString(`null`)
			default:
				fmt.Fprintf(&b, `%d`, f)
			}
		}
		b.WriteString(`}}`)
	}
	b.WriteString(`],"additional_data":{"next_cursor":"eyJmaWVsZCI6InVwZGF0ZV90aW1lIiwiaWQiOjEwMX0"}}`)
	return []byte(b.String())
}

// deals is the catalogue's row.
func deals() *entity.Object {
	obj, _ := entity.Lookup("deals")
	return &obj
}

// BenchmarkSlicePage sets cutting a page of 500 deals beside decoding it as a plain client does.
func BenchmarkSlicePage(b *testing.B) {
	const rows = 500
	body, obj := dealsBody(rows), deals()
	report := func(b *testing.B, one func() int) {
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			require.Equal(b, rows, one())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/record")
		b.ReportMetric(float64(len(body))/rows, "bytes/record")
	}
	b.Run("slicePage", func(b *testing.B) {
		report(b, func() int {
			page, err := slicePage(body, obj)
			require.NoError(b, err)
			return len(page.Records)
		})
	})
	b.Run("encoding_json", func(b *testing.B) {
		report(b, func() int {
			var frame struct{ Data []any }
			require.NoError(b, json.Unmarshal(body, &frame))
			return len(frame.Data)
		})
	})
}
