package spec

// The metadata of both inputs, which the processor and pipelines rely on. All values are texts.
const (
	MetaVia        = "pipedrive_via"
	MetaSchema     = "pipedrive_schema"
	MetaObject     = "pipedrive_object"
	MetaID         = "pipedrive_id"
	MetaAction     = "pipedrive_action"
	MetaTime       = "pipedrive_time"
	MetaCompanyID  = "pipedrive_company_id"
	MetaHost       = "pipedrive_host"
	MetaInstanceID = "pipedrive_instance_id"
	MetaReceivedAt = "pipedrive_received_at"
)

// The metadata that only webhooks have.
const (
	MetaEventID       = "pipedrive_event_id"
	MetaCorrelationID = "pipedrive_correlation_id"
	MetaWebhookID     = "pipedrive_webhook_id"
	MetaAttempt       = "pipedrive_attempt"
	MetaUserID        = "pipedrive_user_id"
	MetaChangeSource  = "pipedrive_change_source"
	MetaBulk          = "pipedrive_bulk"
	MetaRefusals      = "pipedrive_refusals" // how often the output has refused it; with a journal, and only when it has
)

// The metadata that pipedrive_normalize adds.
const (
	MetaEventKey = "pipedrive_event_key" // the event's id, in whatever form the event is written
	MetaOrder    = "pipedrive_order"     // of two events of one record that with the greater text is about the newer state
	MetaTogether = "pipedrive_together"  // how many messages may share a notification; of the form elements
	MetaResolved = "pipedrive_resolved"  // false: custom fields have no names, as their list could not be had
)

// TimeLayout is RFC 3339 with the milliseconds that Pipedrive has for some objects.
const TimeLayout = "2006-01-02T15:04:05.999Z07:00"
