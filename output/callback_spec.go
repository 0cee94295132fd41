package output

import "github.com/redpanda-data/benthos/v4/public/service"

func callbackSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Beta().
		Version("0.3.0").
		Categories("Services").
		Summary("Posts each event to an application, signed, with retries that last for hours.").
		Description(callbackDescription).
		Fields(callbackFields()...).
		Example("As Cloud Elements did", "Posts events to the callback URL of an application that verifies Cloud Elements' signature. What it refuses for good, or could not take for hours, and what cannot be read, goes to a file with all that is needed to send it again.", `
input:
  pipedrive_poll:
    api_token: ${PIPEDRIVE_API_TOKEN}
    checkpoint_cache: state

pipeline:
  processors:
    - try_catch: # what cannot be read gets the reason as metadata, and is no longer flagged as failed
        error_metadata: unreadable
        processors:
          - pipedrive_normalize: { format: elements }

`+asCloudElementsDid+`                headers: { X-Team: sales }
`+toDeadLetters+`
cache_resources:
  - label: state
    bolt: { path: ./state/benthos-pipedrive.db }
`).
		Example("Dead letters, once more", "Sends the file of the example above again, moved away while its pipeline was stopped, under the ids that the messages had. What is refused this time is a dead letter once more.", `
input:
  file:
    paths: [ ./redrive.jsonl ]
    scanner: { lines: { max_buffer_size: 134217728 } } # a line is as long as its event

pipeline:
  processors:
    - try_catch:
        error_metadata: unreadable
        processors:
          - mapping: |
              root = this.body
              meta = this.metadata
          - switch: # what could not be read has no id yet, and is read now
              - check: '@pipedrive_event_key == null'
                processors:
                  - pipedrive_normalize: { format: elements }

`+asCloudElementsDid+`                retry: { max_attempts: 3 }
`+toDeadLetters).
		Example("Standard Webhooks, while a key is rotated", "Each message is signed with both keys; the receiver verifies with whichever it has.", `
input:
  pipedrive_webhook:
    address: 0.0.0.0:8080
    credentials: [ { username: hook, password: "${HOOK_PASSWORD}" } ]
    journal: { path: ./state/webhooks.db }

output:
  fallback:
    - pipedrive_callback:
        url: https://app.example.com/events?token=${CALLBACK_TOKEN}
        signature:
          scheme: standard_webhooks
          keys: [ "${NEW_SIGNING_KEY}", "${SIGNING_KEY}" ]
        max_in_flight: 32
    - file: { path: ./state/dead_letters.jsonl, codec: lines }
`)
}

// asCloudElementsDid is the beginning of an output that posts what could be read; more fields of the callback may follow.
const asCloudElementsDid = `output:
  fallback:
    - switch:
        cases:
          - check: '@unreadable != null'
            output: { reject: "${! @unreadable.what }" }
          - output:
              pipedrive_callback:
                url: https://app.example.com/events
                signature: { scheme: elements, keys: [ "${SIGNING_KEY}" ] }
`

// toDeadLetters is the end of a fallback, for what the callback refuses.
const toDeadLetters = `    - file:
        path: ./state/dead_letters.jsonl
        codec: lines
      processors:
        - mapping: |
            root.error = @fallback_error
            root.metadata = metadata().without("fallback_error", "unreadable")
            root.body = content().string()
`

const callbackDescription = `
Each message is one POST with the message as its body, in the very bytes it has. Delivery is at least once: after a crash, a stop in mid-retry or an answer that was lost, a message comes again with the same id. Receivers should remember ids for a day.

Behind a ` + "`pipedrive_webhook`" + ` there should be its ` + "`journal`" + `: retries last for hours, and Pipedrive waits for ten seconds.

### Verdicts

| the receiver answers | what becomes of the message |
| --- | --- |
| 2xx | done |
| 408, 425, 429, 5xx, nothing within ` + "`timeout`" + `, no connection, a certificate that cannot be verified | tried again as ` + "`retry`" + ` says, and refused after the last try |
| a redirect (3xx) | refused: redirects are not followed |
| anything else | refused |

A refused message is nacked with an error that has the status and the beginning of the answer, on one line and without control characters, credentials, headers or the URL's query. The other messages of its batch are not touched by it, and not sent again.

### Dead letters

The host replays a refused message for ever, so it needs somewhere to go: put this output first in a ` + "`fallback`" + `, as in the examples, and what is refused goes to the output behind it with the error as ` + "`fallback_error`" + `. Outside a ` + "`fallback`" + ` a warning at the start says so.

A message that a processor failed on would be posted as it is. ` + "`try_catch`" + ` around the processors and a ` + "`switch`" + ` in front of this output send it to the dead letters, as in the examples, whether ` + "`error_handling.strict`" + ` is true or false. ` + "`reject_errored`" + ` does so only while it is false: with true no output takes what is flagged as failed, the one for dead letters no more than this one, and it comes again for ever.

To send dead letters again, keep the metadata beside the body: with it the message has the id it had, and the receiver recognises what it took already. Once the receiver has been mended, stop the pipeline, move the file away, and start it again: running, it would go on writing to the file that it has open, wherever that was moved. Then run the second example, which ends by itself; for Standard Webhooks it is [config/callback_redrive.yaml](../../config/callback_redrive.yaml). The file that it reads stays as it is, to be deleted when all has gone well; what is refused again is in a new one.

### Several events in one notification

Events that ` + "`pipedrive_normalize`" + ` lets share a notification (` + "`format: elements`" + ` with ` + "`elements.events_per_message`" + `) are posted together when they follow each other in a batch and are of one object: ` + "`message.events`" + ` has all of them, ` + "`message.raw`" + ` is that of the first, with the bodies of all in ` + "`message.raw.objects`" + `. The verdict is that of each. The ids of such a notification are made of those of its events, so they are the same only while the same events are together: after a replay ` + "`message.events`" + ` tells what is known already.

### What a receiver has to do

Verify the signature over the raw bytes of the body, before anything parses it, with a comparison in constant time; answer 2xx within ` + "`timeout`" + `, as soon as the message is safe; take a message whose id it knows as taken; and answer 4xx only to what it will never take.

### Metrics

` + "`pipedrive_callback_attempts_total{result}`" + ` counts requests: ` + "`done`" + `, ` + "`limited`" + ` (429), ` + "`unavailable`" + ` (408, 425, 5xx), ` + "`unreachable`" + ` (no answer), ` + "`refused`" + `. ` + "`pipedrive_callback_latency_ns`" + ` is the time from sending to the verdict.
`
