// Package pipedrive reads the REST API of Pipedrive: pages of a list, one record, the definitions of custom fields, and
// whom the credential belongs to. It also lists, makes and deletes webhooks, and writes nothing else.
//
// It knows what Pipedrive charges and refuses. A request waits for the burst window; it does not wait for the daily
// budget, nor is it repeated: the one error type for each decision a caller makes says what to do (LaterError,
// CredentialError, ForbiddenError, GoneError, RefusedError, WebhookLimitError), and an error of the caller's context
// comes through as that. The only request that is sent twice is one that an OAuth access token no longer opens.
//
// A request passes, in this order: authenticate, limits, measure, deadline, and the transport of the configuration.
// Redirects are not followed: the credential goes to one host.
package pipedrive
