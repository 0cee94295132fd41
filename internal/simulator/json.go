package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidwall/gjson"
)

// jsonOf is the value as Pipedrive would write it: HTML unescaped, times in the object's layout.
func jsonOf(value any, layout string) []byte {
	if t, isTime := value.(time.Time); isTime {
		return stampOf(t).append(nil, layout)
	}
	return appendJSON(nil, value)
}

func appendJSON(b []byte, value any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic(fmt.Sprintf("simulator: %v is no JSON value: %v", value, err))
	}
	return append(b, bytes.TrimRight(out.Bytes(), "\n")...)
}

// readStamp reads a time in any of the layouts; null and what is no time are never.
func readStamp(value gjson.Result) stamp {
	for _, layout := range []string{time.RFC3339, layoutV1} {
		if t, err := time.Parse(layout, value.Str); err == nil {
			return stampOf(t)
		}
	}
	return never
}
