package checkup

import (
	"context"
	"errors"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// The process that runs may use up the burst window of the credential, as on a first walk. A window ends after two
// seconds; whoever asks at the right moment gets in.
const (
	burstTries   = 6
	longestBurst = 5 * time.Second // of one wait
)

// patiently asks again when the burst window was full.
func patiently(ctx context.Context, ask func() error) error {
	for try := 1; ; try++ {
		err := ask()
		var later *pipedrive.LaterError
		if !errors.As(err, &later) || later.Kind != pipedrive.KindBurst || try == burstTries {
			return err
		}
		timer := time.NewTimer(min(later.After, longestBurst))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}
