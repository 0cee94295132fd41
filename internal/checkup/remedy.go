package checkup

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// laterRemedies say what to do about what may succeed at another time.
var laterRemedies = map[pipedrive.Kind]string{
	pipedrive.KindBurst:   "something else uses the same credential too fast: give this pipeline one of its own",
	pipedrive.KindDaily:   "nothing can be read until the company's budget is filled up again, at midnight of Pipedrive's: find the integration that spends it, or buy a top-up",
	pipedrive.KindShare:   "raise daily_token_share",
	pipedrive.KindBlocked: "Pipedrive's edge blocks this credential: stop what ignores its limits, and try again after that time",
	pipedrive.KindServer:  "Pipedrive is at fault: try again later",
	pipedrive.KindNetwork: "check base_url, proxy_url, tls, the resolution of names and the firewall",
	pipedrive.KindGarbled: "something in between changes the answers: check base_url and the proxies",
}

// explain says what an error of the client means and what to do about it.
func explain(err error) (found, remedy string) {
	var credential *pipedrive.CredentialError
	var later *pipedrive.LaterError
	var forbidden *pipedrive.ForbiddenError
	switch {
	case errors.As(err, &credential):
		return credential.Answer.String(), credential.Remedy
	case errors.As(err, &later):
		return later.Error(), laterRemedies[later.Kind]
	case errors.As(err, &forbidden) && forbidden.Status == http.StatusPaymentRequired:
		return forbidden.Error(), "open the account: its trial is over, or it was not paid for"
	case errors.As(err, &forbidden):
		return forbidden.Error(), "give the user of the credential, or the app, the right to this"
	}
	return err.Error(), "check base_url"
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
