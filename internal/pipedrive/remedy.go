package pipedrive

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// laterRemedies say what to do about what may succeed at another time.
var laterRemedies = map[Kind]string{
	KindBurst:   "something else uses the same credential too fast: give this pipeline one of its own",
	KindDaily:   "nothing can be read until the company's budget is filled up again, at midnight of Pipedrive's: find the integration that spends it, or buy a top-up",
	KindShare:   "raise daily_token_share",
	KindBlocked: "Pipedrive's edge blocks this credential: stop what ignores its limits, and try again after that time",
	KindServer:  "Pipedrive is at fault: try again later",
	KindNetwork: "check base_url, proxy_url, tls, the resolution of names and the firewall",
	KindStore:   "see to the cache resource that oauth2.token_cache names",
	KindGarbled: "something in between changes the answers: check base_url and the proxies",
}

// Remedy is what a person should do about an error of a client. An error that is not of this package has none.
func Remedy(err error) string {
	var credential *CredentialError
	var later *LaterError
	var forbidden *ForbiddenError
	var refused *RefusedError
	switch {
	case errors.As(err, &credential):
		return credential.Remedy
	case errors.As(err, &later):
		return laterRemedies[later.Kind]
	case errors.As(err, &forbidden) && forbidden.Status == http.StatusPaymentRequired:
		return "open the account: its trial is over, or it was not paid for"
	case errors.As(err, &forbidden):
		return "give the user of the credential, or the app, the right to this"
	case errors.As(err, new(*WebhookLimitError)):
		return "remove webhooks that are no longer needed: benthos-pipedrive webhooks list shows them"
	case errors.As(err, &refused) && refused.Method == http.MethodPost && refused.Path == webhooksPath:
		return "check that Pipedrive reaches public_url from the internet by https, and that it knows each of events"
	case errors.As(err, new(decision)):
		return "check base_url, or the path if it is a custom object"
	}
	return ""
}

// WithRemedy adds to an error of a client what a person should do about it.
func WithRemedy(err error) error {
	remedy := Remedy(err)
	if err == nil || remedy == "" || strings.HasSuffix(err.Error(), remedy) {
		return err
	}
	return fmt.Errorf("%w: %s", err, remedy)
}
