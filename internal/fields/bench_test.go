package fields

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// What an event with 200 custom fields costs once their list is there.
func BenchmarkOf(b *testing.B) {
	var keys []string
	var list []entity.Field
	for i := range 200 {
		keys = append(keys, fmt.Sprintf("%040x", i))
		list = append(list, entity.Field{Key: keys[i], Name: fmt.Sprintf("Field %d", i%190), Type: "varchar"})
	}
	book := New(Config{
		Pause:   time.Nanosecond, // so that the keys are looked at, as they are a minute after the reading
		List:    func(context.Context, string) ([]entity.Field, error) { return list, nil },
		Company: func(context.Context) (string, error) { return company, nil },
	})
	_, err := book.Of(b.Context(), company, "deal", slices.Values(keys))
	require.NoError(b, err)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := book.Of(b.Context(), company, "deal", slices.Values(keys)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
