package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// parcel is what is posted at once: one message, or several events that may share a notification.
type parcel struct {
	indexes []int // of the messages of a batch
	post    callback.Message
}

// parcels packs the messages of a lane. pipedrive_normalize says which may share a notification, and how many; of those
// they must be of one object and follow each other.
func parcels(batch service.MessageBatch, posts []callback.Message, lane []int) []parcel {
	var packed []parcel
	for len(lane) > 0 {
		n := 1
		most := togetherOf(batch[lane[0]])
		for n < most && n < len(lane) && shareable(batch, posts, lane[0], lane[n]) {
			n++
		}
		packed = append(packed, pack(posts, lane[:n])...)
		lane = lane[n:]
	}
	return packed
}

// pack makes one parcel of several messages; of each its own when they are not what they were said to be.
func pack(posts []callback.Message, indexes []int) []parcel {
	if len(indexes) > 1 {
		if post, err := join(posts, indexes); err == nil {
			return []parcel{{indexes, post}}
		}
	}
	packed := make([]parcel, len(indexes))
	for i, index := range indexes {
		packed[i] = parcel{[]int{index}, posts[index]}
	}
	return packed
}

// togetherOf is how many messages may share a notification with this one, itself included.
func togetherOf(m *service.Message) int {
	text, _ := m.MetaGet(spec.MetaTogether)
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return max(n, 1)
}

func shareable(batch service.MessageBatch, posts []callback.Message, one, other int) bool {
	return togetherOf(batch[one]) == togetherOf(batch[other]) &&
		kindOf(batch[one]) == kindOf(batch[other]) &&
		maps.EqualFunc(posts[one].Header, posts[other].Header, slices.Equal)
}

// kindOf names the account and object that a message is about.
func kindOf(m *service.Message) string {
	var names []string
	for _, name := range []string{spec.MetaCompanyID, spec.MetaInstanceID, spec.MetaObject} {
		value, _ := m.MetaGet(name)
		names = append(names, value)
	}
	return strings.Join(names, "/")
}

// join makes one notification of several, in the form of Cloud Elements: message.events has the events of all,
// message.raw.objects the bodies of all. Its ids are made of theirs: that of the first alone would make a receiver drop
// an event that comes behind one it knows.
func join(posts []callback.Message, indexes []int) (callback.Message, error) {
	var ids []string
	var events, objects []json.RawMessage
	first, err := readNotification(posts[indexes[0]].Body)
	if err != nil {
		return callback.Message{}, err
	}
	for _, index := range indexes {
		n, err := readNotification(posts[index].Body)
		if err != nil {
			return callback.Message{}, err
		}
		ids = append(ids, posts[index].ID)
		events = append(events, n.events...)
		objects = append(objects, n.raw["object"])
	}
	hash := sha256.Sum256([]byte(strings.Join(ids, "\n")))
	id := hex.EncodeToString(hash[:16])
	const digits = 13 // of 4 bits each: a number that JavaScript reads exactly
	number, err := strconv.ParseInt(id[:digits], 16, 64)
	if err != nil {
		return callback.Message{}, err
	}
	body, err := first.with(number, events, objects)
	if err != nil {
		return callback.Message{}, err
	}
	return callback.Message{ID: "pds_" + id, Body: body, Header: posts[indexes[0]].Header}, nil
}

// notification is a message in the form of Cloud Elements, taken apart as far as is needed. Its values stay as they
// are, digit by digit.
type notification struct {
	top, message, raw map[string]json.RawMessage
	events            []json.RawMessage
}

var errNoNotification = errors.New("is no notification in the form of Cloud Elements")

func readNotification(body []byte) (n notification, err error) {
	for _, part := range []struct {
		of   func() []byte
		into any
	}{
		{func() []byte { return body }, &n.top},
		{func() []byte { return n.top["message"] }, &n.message},
		{func() []byte { return n.message["raw"] }, &n.raw},
		{func() []byte { return n.message["events"] }, &n.events},
	} {
		if err := json.Unmarshal(part.of(), part.into); err != nil {
			return n, fmt.Errorf("%w: %w", errNoNotification, err)
		}
	}
	if n.raw["object"] == nil || len(n.events) == 0 {
		return n, errNoNotification
	}
	return n, nil
}

// with writes the notification with other events.
func (n notification) with(id int64, events, objects []json.RawMessage) ([]byte, error) {
	raw, message, top := maps.Clone(n.raw), maps.Clone(n.message), maps.Clone(n.top)
	var err error
	for _, set := range []struct {
		in    map[string]json.RawMessage
		name  string
		value any
	}{
		{raw, "objects", objects},
		{message, "raw", raw},
		{message, "events", events},
		{message, "eventId", id},
		{top, "message", message},
		{top, "id", id},
	} {
		if set.in[set.name], err = encode(set.value); err != nil {
			return nil, err
		}
	}
	return encode(top)
}

// encode writes JSON without the escapes that are for HTML.
func encode(value any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
