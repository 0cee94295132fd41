package input

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

const (
	pwFieldAddress           = "address"
	pwFieldPath              = "path"
	pwFieldInstanceID        = "instance_id"
	pwFieldCredentials       = "credentials"
	pwFieldUsername          = "username"
	pwFieldPassword          = "password"
	pwFieldAllowAnonymous    = "allow_anonymous"
	pwFieldAllowedIPs        = "allowed_ips"
	pwFieldTrustedProxies    = "trusted_proxies"
	pwFieldMaxBodySize       = "max_body_size"
	pwFieldResponseTimeout   = "response_timeout"
	pwFieldReadHeaderTimeout = "read_header_timeout"
	pwFieldMaxInFlight       = "max_in_flight"
	pwFieldHealthPath        = "health_path"

	pwFieldTLS          = "tls"
	pwFieldTLSEnabled   = "enabled"
	pwFieldCertFile     = "cert_file"
	pwFieldKeyFile      = "key_file"
	pwFieldClientCAFile = "client_ca_file"

	pwFieldJournal     = "journal"
	pwFieldJournalPath = "path"
	pwFieldMaxBytes    = "max_bytes"
	pwFieldMaxAttempts = "max_attempts"

	pwFieldDedupe        = "dedupe"
	pwFieldDedupeEnabled = "enabled"
	pwFieldWindow        = "window"
	pwFieldCache         = "cache"

	pwFieldRegistration     = "registration"
	pwFieldRegEnabled       = "enabled"
	pwFieldPublicURL        = "public_url"
	pwFieldEvents           = "events"
	pwFieldName             = "name"
	pwFieldVersion          = "version"
	pwFieldUserID           = "user_id"
	pwFieldCheckInterval    = "check_interval"
	pwFieldRemoveOnShutdown = "remove_on_shutdown"
)

func webhookFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField(pwFieldAddress).
			Description("The host and port to listen on; an empty host is every address of the machine. Several inputs of one process with the same address share one listener: they need different paths, and the same `tls` and `read_header_timeout`. An address that another program holds is tried again, after 2 s at first and 30 s at most.").
			Default("0.0.0.0:8080"),
		service.NewStringField(pwFieldPath).
			Description("The path that Pipedrive sends to. Anything else on the address is answered 404.").
			Default("/events/pipedrive"),
		service.NewStringField(pwFieldInstanceID).
			Description("An id that is carried along as `pipedrive_instance_id` and put behind the path in base64, as the webhook URLs of Cloud Elements end: `/events/pipedrive/MjA5MzE=` for instance 20931.").
			Default("").
			Example("20931"),
		service.NewObjectListField(
			pwFieldCredentials,
			service.NewStringField(pwFieldUsername).Description("The user name that Pipedrive sends."),
			service.NewStringField(pwFieldPassword).Description("The password that Pipedrive sends.").Secret(),
		).
			Description("The HTTP Basic credentials that a request must carry; webhooks have no signature, so this is what tells Pipedrive's apart. Any one of several will do, so that a password can be changed without a gap: add the new one in front, wait until the log says that the registration has made the webhook anew (it does so when the next webhook comes with the old one), remove the old one. One that is taken away at once is refused for some seconds. Compared in constant time before the body is read.").
			Default([]any{}),
		service.NewBoolField(pwFieldAllowAnonymous).
			Description("Start without `credentials`. Whoever finds the URL can then send made-up events: only for tests, or behind a proxy that authenticates.").
			Default(false).
			Advanced(),
		journalField(),
		dedupeField(),
		registrationField(),
		service.NewObjectField(
			pwFieldTLS,
			service.NewBoolField(pwFieldTLSEnabled).Description("Serve HTTPS.").Default(false),
			service.NewStringField(pwFieldCertFile).Description("The certificate, PEM, with the intermediate ones behind it. A file that changes is read again without a restart.").Default(""),
			service.NewStringField(pwFieldKeyFile).Description("The key of the certificate, PEM.").Default(""),
			service.NewStringField(pwFieldClientCAFile).Description("Certificate authorities, PEM, of which a client has to show a certificate. Pipedrive has none: this is for a proxy in front.").Default("").Advanced(),
		).
			Description("HTTPS on the listener itself. Pipedrive refuses certificates that it cannot verify, self-signed ones above all."),
		service.NewStringField(pwFieldMaxBodySize).
			Description("The largest body that is read, also after decompression. An account with hundreds of custom fields and users sends some 50 KiB. Larger ones are answered 413, which counts against the webhook like any refusal. At most 64MiB.").
			Default("4MiB").
			Advanced(),
		service.NewDurationField(pwFieldResponseTimeout).
			Description("The longest that a request may take from its headers to its answer. What is not accepted by then is answered 503, and Pipedrive sends it again after 3, 30 and 150 s. Pipedrive itself waits for 10 s, so it has to be less.").
			Default("8s").
			Advanced(),
		service.NewDurationField(pwFieldReadHeaderTimeout).
			Description("How long a client may take for the headers of a request, and for the TLS handshake.").
			Default("5s").
			Advanced(),
		service.NewIntField(pwFieldMaxInFlight).
			Description("How many webhooks may be under way at once: waiting for their acceptance and, with a journal, handed on from it and not yet acknowledged. Further requests wait with their bodies unread, up to `response_timeout`. The bodies together never hold more than 64 MiB. An output whose `batching.count` is more than this needs a `batching.period` as well.").
			Default(256).
			Advanced().
			LintRule(`root = if this < 1 { ["must be at least 1"] }`),
		service.NewStringField(pwFieldHealthPath).
			Description("A path on the same address that answers 200 while this input can accept webhooks and 503 while it cannot (its journal is full, or nothing was acknowledged for `response_timeout`), whatever `/ready` thinks of other components. Inputs that share the address and this path are healthy together. Empty: none.").
			Default("/healthz").
			Advanced(),
		service.NewStringListField(pwFieldAllowedIPs).
			Description("Addresses and CIDR ranges that requests may come from; others are answered 403. Empty: any. Pipedrive publishes the addresses it sends from, and changes them: a stale list here loses events.").
			Default([]any{}).
			Advanced().
			Example([]any{"10.0.0.0/8", "2001:db8::/32"}),
		service.NewStringListField(pwFieldTrustedProxies).
			Description("Addresses and CIDR ranges of proxies in front, whose `X-Forwarded-For` is believed when `allowed_ips` is checked.").
			Default([]any{}).
			Advanced().
			Example([]any{"10.0.0.0/8"}),
	}
}

func journalField() *service.ConfigField {
	return service.NewObjectField(
		pwFieldJournal,
		service.NewStringField(pwFieldJournalPath).
			Description("The file; it and its folders are made when there are none. Empty: no journal. Put it on a disk that outlives the container: what lies in it was answered 200, and Pipedrive will not send it again. Each input needs a file of its own.").
			Default("").
			Example("./state/webhooks.db"),
		service.NewStringField(pwFieldMaxBytes).
			Description("The most that may wait in the journal, as `1GiB`. When it is full further webhooks are answered 503; nothing that was accepted is forgotten for them. The file is somewhat larger, and room in it is used again rather than given back. At least 1MiB, and twice the `max_body_size`.").
			Default("1GiB"),
		service.NewIntField(pwFieldMaxAttempts).
			Description("After how many refusals by the output a message goes on flagged as failed, so that `catch`, `try_catch`, a `switch` on `errored()` or a `reject_errored` in front of a dead-letter output see it. Until something acknowledges it it stays in the journal. 0: it is tried unflagged for ever. It is tried again after 1 s, doubling up to 1 min, and holds back only later changes of the same record. An outage of the output refuses too: 100 refusals take some 90 minutes. While `error_handling.strict` is true this has to be 0, as the host then lets what is flagged past all processors and into no output; send to the dead letters what has too many `pipedrive_refusals` in its metadata, which works with strict and without.").
			Default(0).
			Advanced(),
	).
		Description("A durable log of accepted webhooks. With it a webhook goes to the output at once and is answered 200 when the output has acknowledged it or it is on disk (fsync), whichever comes first; what is on disk is delivered however long the output is down. An output that acknowledges within 5 ms leaves the disk alone. Without it a request waits for the output, and an outage of the output costs events: ten refused webhooks make Pipedrive drop everything for 30 minutes, three days without a success delete the subscription.")
}

func dedupeField() *service.ConfigField {
	return service.NewObjectField(
		pwFieldDedupe,
		service.NewBoolField(pwFieldDedupeEnabled).
			Description("Answer a webhook that was accepted before 200, and do not deliver it again.").
			Default(true),
		service.NewDurationField(pwFieldWindow).
			Description("How long an accepted webhook is recognised. Pipedrive's last attempt comes some three minutes after the first. In memory at most 200,000 are.").
			Default("30m"),
		service.NewStringField(pwFieldCache).
			Description("The label of a cache resource that several replicas share, like `redis`; its `add` has to be atomic. While it does not work webhooks are taken all the same, and those that reach several replicas may be delivered twice. Inputs with the same `path` in one cache count as replicas, of which one gets each webhook: another pipeline that wants all of them too needs a cache, or a `prefix` in it, of its own. Empty: in memory, for this input alone.").
			Default(""),
	).
		Description("Recognises webhooks that come again: Pipedrive's retries, the same event through a second subscription or to a second replica.").
		Advanced()
}

func registrationField() *service.ConfigField {
	fields := []*service.ConfigField{
		service.NewBoolField(pwFieldRegEnabled).
			Description("Keep the subscriptions in Pipedrive as described here: make what is missing, make anew what was banned, deleted or changed, remove what is no longer wanted. Webhooks with another URL or name are never touched. The first of `credentials` is registered. The door serves whether this works or not.").
			Default(false),
		service.NewStringField(pwFieldPublicURL).
			Description("Where Pipedrive reaches this input, without `path`, which is put behind it.").
			Default("").
			Example("https://hooks.example.com"),
		service.NewStringListField(pwFieldEvents).
			Description("What to subscribe to, as `action.object`: actions `create`, `change`, `delete`, objects `deal`, `person`, `organization`, `activity`, `lead`, `note`, `product`, `pipeline`, `stage`, `user`, `project`, `task` and what Pipedrive adds; `*` for all. One subscription each; Pipedrive allows 40 a user.").
			Default([]any{"*.*"}).
			Example([]any{"*.deal", "change.person"}),
		service.NewStringField(pwFieldName).
			Description("The name of the subscriptions in Pipedrive, by which this input knows its own.").
			Default(webhook.DefaultSubscriptionName),
		service.NewStringField(pwFieldVersion).
			Description("The version of the webhooks. With 1.0 the actions in `events` are `added`, `updated`, `merged` and `deleted`.").
			Default(webhook.DefaultSubscriptionVersion).
			Advanced(),
		service.NewStringField(pwFieldUserID).
			Description("The id of the user whose permissions decide what is sent. Empty: the user of the credential. It should be an admin: what the user cannot see is never sent.").
			Default("").
			Advanced(),
		service.NewDurationField(pwFieldCheckInterval).
			Description("How often the subscriptions are looked at. A look costs 10 tokens of the daily budget.").
			Default("5m").
			Advanced(),
		service.NewBoolField(pwFieldRemoveOnShutdown).
			Description("Remove the subscriptions when the input stops. What changes until the next start is then lost; for tests.").
			Default(false).
			Advanced(),
	}
	return service.NewObjectField(pwFieldRegistration, append(fields, spec.ConnectionFields()...)...).
		Description("The care of the subscriptions in Pipedrive. Needs an admin's token, or an app with the scope `admin`.")
}
