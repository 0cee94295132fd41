package processor

import "github.com/redpanda-data/benthos/v4/public/service"

func normalizeSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Beta().
		Version("0.1.0").
		Categories("Services").
		Summary("Makes one event of what pipedrive_poll and pipedrive_webhook bring, the same whichever way a change came.").
		Description(normalizeDescription).
		Fields(normalizeFields()...).
		Example("Both doors, each change once", "Webhooks for speed, polling for completeness: the second copy of a change has the same id. In `try`, what failed skips `dedupe`, which would take all messages without an id for one and drop them. The marks are in memory: if they outlived a crash, the events that were on their way would be dropped when they come again. The output is wrapped in `retry`, or a message that it refused at first would meet its own mark when it comes again; `split` lets it be refused alone.", `
input:
  broker:
    inputs:
      - pipedrive_webhook:
          address: 0.0.0.0:8080
          credentials: [ { username: hook, password: "${HOOK_PASSWORD}" } ]
          journal: { path: ./state/webhooks.db }
      - pipedrive_poll:
          api_token: ${PIPEDRIVE_API_TOKEN}
          checkpoint_cache: state
`+joinedProcessors+`
output:
  retry:
    output:
      stdout: {}

cache_resources:
  - label: state
    bolt: { path: ./state/benthos-pipedrive.db }
  - label: seen
    ttlru: { cap: 100000, default_ttl: 1h }
`).
		Example("Custom fields by name", "The event gains `named`: custom fields by what people call them, options by label.", `
input:
  pipedrive_poll:
    api_token: ${PIPEDRIVE_API_TOKEN}

pipeline:
  processors:
    - pipedrive_normalize:
        resolve:
          enabled: true
          api_token: ${PIPEDRIVE_API_TOKEN}
`).
		Example("CloudEvents to a callback URL", "", `
input:
  pipedrive_webhook:
    address: 0.0.0.0:8080
    credentials: [ { username: hook, password: "${HOOK_PASSWORD}" } ]

pipeline:
  processors:
    - pipedrive_normalize:
        format: cloudevents

output:
  http_client:
    url: https://app.example.com/events
    headers:
      Content-Type: application/cloudevents+json
`)
}

// joinedProcessors let one copy of each change through.
const joinedProcessors = `
pipeline:
  processors:
    - try:
        - pipedrive_normalize: {}
        - dedupe:
            cache: seen
            key: ${! @pipedrive_event_key }
            drop_on_err: false
    - split: {}
`

const normalizeDescription = `
A record that was polled and a webhook of version 1.0 or 2.0 tell of the same change in four different ways. This processor reads all of them into one event:

` + "```json" + `
{
  "id": "pd1_9f86d081884c7d659a2feaa0c55ad015",
  "object": "deal", "object_id": "101", "action": "updated", "time": "2026-11-20T09:15:00Z",
  "account": {"company_id": "12345", "host": "acme.pipedrive.com"},
  "source": {"via": "webhook", "schema": "webhook_v2", "event_id": "5f0e…", "attempt": 1, "user_id": "11"},
  "data": {"id": 101, "stage_id": 4, "custom_fields": {}},
  "previous": {"stage_id": 3}, "changed": ["stage_id"],
  "merged_into": null, "merged_from": null
}
` + "```" + `

### What is in it

- ` + "`id`" + ` is the same for the same state of the same record, whichever way it came and however often. Let ` + "`dedupe`" + ` or a unique key in the sink tell doubles by it.
- ` + "`action`" + ` is ` + "`created`, `updated`, `deleted`" + ` or ` + "`snapshot`" + `: found by a first walk, when nobody can know what happened to it.
- ` + "`data`" + ` is the record in the shape of REST v2: whole numbers stay whole, times are RFC 3339 in UTC, ` + "`custom_fields`" + ` has the fields that have a value, by key. Of a deletion it is ` + "`null`" + `. A key that the source does not carry is absent, never ` + "`null`" + `: merge ` + "`data`" + ` into the row you have, do not replace it. Webhooks carry less than lists: no ` + "`note`, `participants`" + ` or ` + "`attendees`" + ` of an activity, no billing of a product, and of a person's or organization's labels one, in ` + "`label`" + ` instead of ` + "`label_ids`" + `.
- ` + "`previous`" + ` has the old values of what is known to have changed, ` + "`changed`" + ` names them. They are ` + "`null`" + ` where nobody knows, as with polling. Of a deletion ` + "`previous`" + ` is the record as it was.
- ` + "`merged_into`, `merged_from`" + ` name the other record of a merge; webhooks of version 2.0 tell them.
- ` + "`account`, `source`" + ` say where it came from. All ids there are texts. What the door does not know is absent.

### When the id is not enough

The id counts what all doors carry, and the second of the change; for five seconds after its creation a record has one second. Two states that differ in nothing else have one id, and of the copies of one change only the first gets past ` + "`dedupe`" + `: mostly the webhook, which carries less. Whoever needs what only lists carry lets both copies through, as an upsert that merges may, or tells them apart: ` + "`key: ${! json(\"id\") + @pipedrive_via }`" + `. An id is of one company: a record that came from elsewhere without the metadata ` + "`pipedrive_company_id`" + ` does not have the id of its copy from our inputs.

### Which is newer

The events of one record leave in their order. Those of two doors, and what Pipedrive, an output or a consumer sends again, can overtake each other, and most times have whole seconds. The metadata ` + "`pipedrive_order`" + ` settles it: of two events of one record the one with the greater text, compared byte by byte, is about the newer state. Keep it beside a row, and let only those events change the row whose own is not smaller, or whose ` + "`id`" + ` is that of the row.

### What fails

A message that is no record and no webhook keeps its content and is flagged as failed, with one line that says what was expected and what came; so does one with a custom field of a type that nobody knows, and one that is no longer what its metadata says, such as an event that went through here before. Nothing is dropped, and the rest of the batch is unharmed. Send such messages to a dead-letter output with ` + "`try_catch`, `switch`" + ` on ` + "`errored()`" + `, or ` + "`fallback`" + `.

### Schemas

JSON Schemas of the four forms are in ` + "`docs/schemas`" + `.

### Metadata

` + "```text" + `
- pipedrive_event_key  the event's id, in every form
- pipedrive_object, pipedrive_id, pipedrive_action, pipedrive_time and the rest that the inputs give stay; a message from elsewhere gets those that its body tells
- pipedrive_resolved   "false" when resolve is on and the names of custom fields could not be had
- pipedrive_order      tells which of two events of one record is newer: the one with the greater text
` + "```" + `
`
