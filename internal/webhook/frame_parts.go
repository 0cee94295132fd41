package webhook

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unsafe"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/scan"
)

// parts are the members of a webhook, without regard to its version. They are read in one pass, which checks the body as
// well; a member that comes twice counts as it came last.
type parts struct {
	scan.Scanner
	whole value // shares the memory of Text, which nobody writes to in here

	meta     meta
	record   value // as it is now: data or current; null of a deletion
	previous value
	v, retry value

	times [len(recordTimes)]value // of the record
	rows  int                     // of a record that is a list, so far
}

// deepest is how many brackets may be open at once. Pipedrive's bodies have a handful; each costs stack.
const deepest = 200

// read refuses whatever is not a whole JSON object with an object as its meta.
func (p *parts) read() error {
	p.whole = value(unsafe.String(unsafe.SliceData(p.Text), len(p.Text)))
	if err := p.Document(p.member); err != nil {
		return p.refusal(err)
	}
	if !p.meta.raw.isObject() {
		return fmt.Errorf("expected a JSON object whose meta is an object, got %s", outline(p.whole))
	}
	return nil
}

func (p *parts) member(key []byte, i, depth int) int {
	var into *value
	end := i
	switch string(plain(key)) {
	case "meta":
		p.meta, into = meta{attempt: 1}, &p.meta.raw
		end = p.object(i, depth, p.metaMember)
	case "data", "current":
		p.times, into = [len(recordTimes)]value{}, &p.record
		if i < len(p.Text) && p.Text[i] == '[' { // users' events of version 1.0
			p.rows = 0
			end = p.Array(i, depth, p.row)
		} else {
			end = p.object(i, depth, p.recordMember)
		}
	case "previous":
		into, end = &p.previous, p.Value(i, depth)
	case "v":
		into, end = &p.v, p.Value(i, depth)
	case "retry":
		into, end = &p.retry, p.Value(i, depth)
	default:
		return p.Value(i, depth)
	}
	if end >= 0 {
		*into = p.whole[i:end]
	}
	return end
}

// object reads the members of a value that is an object, and skips any other.
func (p *parts) object(i, depth int, member func(key []byte, i, depth int) int) int {
	if i < len(p.Text) && p.Text[i] == '{' {
		return p.Object(i, depth, member)
	}
	return p.Value(i, depth)
}

func (p *parts) metaMember(key []byte, i, depth int) int {
	end := p.Value(i, depth)
	if end >= 0 {
		p.meta.set(plain(key), p.whole[i:end])
	}
	return end
}

func (p *parts) row(i, depth int) int {
	if p.rows++; p.rows > 1 {
		return p.Value(i, depth)
	}
	return p.object(i, depth, p.recordMember)
}

func (p *parts) recordMember(key []byte, i, depth int) int {
	end := p.Value(i, depth)
	if end < 0 {
		return -1
	}
	for n, name := range recordTimes {
		if string(key) == name {
			p.times[n] = p.whole[i:end]
		}
	}
	return end
}

// plain is a key without escapes.
func plain(key []byte) []byte {
	if bytes.IndexByte(key, '\\') < 0 {
		return key
	}
	return []byte(value(`"` + string(key) + `"`).text())
}

// fingerprint stands in where an event has no name of its own. Attempts differ in their number alone, not in the record.
func (p *parts) fingerprint() string {
	h := sha256.New()
	w := bufio.NewWriter(h) // in pieces: the record may have megabytes. A hash makes no errors
	_, _ = w.WriteString(string(p.record))
	_ = w.WriteByte('\n')
	_, _ = w.WriteString(string(p.previous))
	_ = w.Flush()
	return hex.EncodeToString(h.Sum(nil)[:16])
}
