package output

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

const (
	pcFieldURL         = "url"
	pcFieldMessageID   = "message_id"
	pcFieldHeaders     = "headers"
	pcFieldTimeout     = "timeout"
	pcFieldMaxInFlight = "max_in_flight"
	pcFieldBatching    = "batching"

	pcFieldSignature = "signature"
	pcFieldScheme    = "scheme"
	pcFieldKeys      = "keys"

	pcFieldBasicAuth = "basic_auth"
	pcFieldEnabled   = "enabled"
	pcFieldUsername  = "username"
	pcFieldPassword  = "password"

	pcFieldRetry           = "retry"
	pcFieldMaxAttempts     = "max_attempts"
	pcFieldInitialInterval = "initial_interval"
	pcFieldMultiplier      = "multiplier"
	pcFieldMaxInterval     = "max_interval"
)

func callbackFields() []*service.ConfigField {
	fields := []*service.ConfigField{
		service.NewStringField(pcFieldURL).
			Description("Where events are posted, an absolute http or https URL. Credentials in it (`https://user:password@…`) are sent as HTTP Basic. They, the path and everything behind the `?` are secrets: logs and errors show the host alone. Redirects are not followed, so this has to be the final address.").
			Secret().
			Example("https://app.example.com/events").
			Example("https://app.example.com/events?token=${CALLBACK_TOKEN}"),
		signatureField(),
		service.NewInterpolatedStringMapField(pcFieldHeaders).
			Description("Headers to send besides those of every callback, by name. `Content-Type` (`application/json`) and `User-Agent` can be replaced; those of the signature and those that frame the request cannot be set. A value that cannot be computed or holds a line break refuses its message for good.").
			Secret().
			Default(map[string]any{}).
			Example(map[string]any{"X-Team": "sales", "Authorization": "Bearer ${CALLBACK_TOKEN}", "X-Pipedrive-Object": "${! @pipedrive_object }"}),
		service.NewInterpolatedStringField(pcFieldMessageID).
			Description("By what the receiver recognises a message that comes again; it is the same over retries, replays and restarts, and signed together with the body by `standard_webhooks`. Empty: the event's id, which is the metadata `pipedrive_event_key` that `pipedrive_normalize` sets, else the `id` of the body when it is an event's (`pd1_…`), else a hash of the body and of the company and object that the metadata name. The id of a record will not do: all its changes share it. Visible ASCII, 256 characters at most, without a full stop under `standard_webhooks`.").
			Default("").
			Example(`${! json("event.id") }`),
		service.NewIntField(pcFieldMaxInFlight).
			Description("How many messages may be under way at once, waiting for their retry included, whichever batches they came in. The messages of one record (`pipedrive_object` and `pipedrive_id`) leave one after another, and so do those of a batch that name no record. 1: all leave strictly in order, and one that waits for its retry holds back all others.").
			Default(8).
			LintRule(`root = if this < 1 { ["must be at least 1"] }`),
		retryField(),
		service.NewDurationField(pcFieldTimeout).
			Description("How long the receiver may take for one answer, connecting included. A longer one counts as no answer and is tried again, though the receiver may have taken the message: it recognises it by its id.").
			Default("10s"),
		service.NewObjectField(
			pcFieldBasicAuth,
			service.NewBoolField(pcFieldEnabled).Description("Send HTTP Basic credentials.").Default(false),
			service.NewStringField(pcFieldUsername).Description("The user name.").Default(""),
			service.NewStringField(pcFieldPassword).Description("The password.").Secret().Default(""),
		).
			Description("HTTP Basic credentials for the receiver, instead of those in `url`."),
	}
	fields = append(fields, spec.TransportFields()...)
	return append(fields, batchingField())
}

// batchingField has the host's words, which its parser reads, without its links that lead nowhere from here.
func batchingField() *service.ConfigField {
	return service.NewObjectField(
		pcFieldBatching,
		service.NewIntField("count").
			Description("How many messages end a batch; 0: any number.").
			Default(0),
		service.NewIntField("byte_size").
			Description("How many bytes end a batch; 0: any number.").
			Default(0),
		service.NewStringField("period").
			Description("How long a batch may wait for more, as `1s`. Empty: until one of the others ends it.").
			Default("").
			Example("1s"),
		service.NewStringField("check").
			Description("A Bloblang query of a message that ends a batch when it says true. Empty: none.").
			Default("").
			Example(`this.action == "deleted"`),
		service.NewProcessorListField("processors").
			Description("Processors for each batch, such as `archive`.").
			Default([]any{}).
			Example([]any{map[string]any{"archive": map[string]any{"format": "json_array"}}}),
	).
		Description("Gather messages before they are posted. They are posted one by one all the same: what this is for is its `processors`, which can make several events one message.").
		Advanced()
}

func signatureField() *service.ConfigField {
	return service.NewObjectField(
		pcFieldSignature,
		service.NewStringAnnotatedEnumField(pcFieldScheme, map[string]string{
			string(callback.Elements):         "As Cloud Elements signed: `Elements-Webhook-Signature` is `sha256=` and base64 of HMAC-SHA256 over the body, `Elements-Webhook-Id` the message id.",
			string(callback.StandardWebhooks): "[Standard Webhooks](https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` (of this attempt) and `webhook-signature`, one `v1` signature for each key. Libraries that verify it exist for most languages.",
			string(callback.Unsigned):         "No signature, and no header with the message id: whoever finds the receiver's URL can send made-up events.",
		}).
			Description("How the receiver can tell that a message is ours and whole.").
			Default(string(callback.StandardWebhooks)),
		service.NewStringListField(pcFieldKeys).
			Description("The keys. `elements` signs with the bytes of the first. `standard_webhooks` signs with each, so that a key can be rotated without a gap: add the new one, let the receiver change over, remove the old one. There a key is `whsec_` and base64, as its libraries make them, or else taken by its bytes.").
			Secret().
			Default([]any{}).
			Example([]any{"${SIGNING_KEY}"}).
			Example([]any{"${NEW_SIGNING_KEY}", "${SIGNING_KEY}"}),
	).
		Description("The signature of each message. Without a key the output refuses to start, unless `scheme` is `none`.")
}

func retryField() *service.ConfigField {
	return service.NewObjectField(
		pcFieldRetry,
		service.NewIntField(pcFieldMaxAttempts).
			Description("How often a message is tried in all, the first time included; 1 is that alone. Then it is refused, as if the receiver had. The default is Cloud Elements' 9 retries.").
			Default(10).
			LintRule(`root = if this < 1 { ["must be at least 1"] }`),
		service.NewDurationField(pcFieldInitialInterval).
			Description("How long after the first try the second comes.").
			Default("4s"),
		service.NewFloatField(pcFieldMultiplier).
			Description("How many times longer each wait is than the one before, 1 or more.").
			Default(4.0).
			LintRule(`root = if this < 1 { ["must be at least 1"] }`),
		service.NewDurationField(pcFieldMaxInterval).
			Description("The longest wait, also when the receiver's `Retry-After` asks for more.").
			Default("1h"),
	).
		Description("When a message is tried again that the receiver could not take (408, 425, 429, 5xx) or did not answer. With the defaults the waits are 4 s, 16 s, 64 s, 4 min 16 s, 17 min 4 s and then an hour four times: an outage of four hours costs nothing. A `Retry-After`, in seconds or as a date, makes a wait longer, never shorter. From the third failure on each is a line in the log. What waits is in memory: a restart replays it from the input.")
}
