package checkup

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// explain says what an error of the client means, without what led to it, and what to do about it.
func explain(err error) (found, remedy string) {
	var credential *pipedrive.CredentialError
	var later *pipedrive.LaterError
	var forbidden *pipedrive.ForbiddenError
	found = err.Error()
	switch {
	case errors.As(err, &credential):
		found = credential.Answer.String() // its own text ends with the remedy
	case errors.As(err, &later):
		found = later.Error()
	case errors.As(err, &forbidden):
		found = forbidden.Error()
	}
	return found, cmp.Or(pipedrive.Remedy(err), "check base_url")
}

func counted[N int | int64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return humanize.Comma(int64(n)) + " " + what + "s"
}

// tokens writes a number of tokens that need not be whole.
func tokens(n float64) string { return humanize.Comma(int64(n+0.5)) + " tokens" }

func listed(words []string) string { return strings.Join(words, ", ") }

func times(f float64) string { return fmt.Sprintf("%.1f times", f) }
