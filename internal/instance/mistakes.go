package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

var byteOrderMark = []byte("\uFEFF")

// wellEncoded takes a byte order mark off, and refuses what is not UTF-8.
func wellEncoded(f *findings) bool {
	if rest, marked := bytes.CutPrefix(f.text, byteOrderMark); marked {
		f.warn(0, "", "a byte order mark (BOM), which JSON does not have; it is passed over")
		f.text = rest
	}
	if utf16 := bytes.HasPrefix(f.text, []byte("\xff\xfe")) || bytes.HasPrefix(f.text, []byte("\xfe\xff")); utf16 {
		f.problem(0, "", "the byte order mark (BOM) of UTF-16; save the file as UTF-8")
		return false
	}
	for at := 0; at < len(f.text); {
		r, size := utf8.DecodeRune(f.text[at:])
		if r == utf8.RuneError && size <= 1 {
			f.problem(at, "", "a byte that is not UTF-8; save the file as UTF-8")
			return false
		}
		at += size
	}
	return true
}

func lineAndColumn(text []byte, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	begin := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[begin:]) + 1
}

// nameMistakes says what is wrong with a text that encoding/json refuses with err. It knows the mistakes that people
// and word processors make; for all others it says where the first one is.
func nameMistakes(f *findings, err error) {
	m := mistakes{findings: f, text: f.text}
	m.find()
	if len(f.problems) > 0 {
		return
	}
	syntax := (*json.SyntaxError)(nil)
	if !errors.As(err, &syntax) {
		f.problem(-1, "", "is not JSON")
		return
	}
	at := int(syntax.Offset) - 1 // Offset counts the byte that is wrong
	rest := f.text[min(max(at, 0), len(f.text)):]
	switch {
	case len(bytes.TrimSpace(f.text)) == 0:
		f.problem(-1, "", "is empty; it must hold the JSON of an instance")
	case strings.HasPrefix(err.Error(), "unexpected end"):
		f.problem(len(f.text), "", "the end of the text, in the middle of the JSON: a } or ] is missing, or the rest was not copied")
	case strings.Contains(err.Error(), "after object key:value pair"), strings.Contains(err.Error(), "after array element"):
		f.problem(at, "", "a comma or a closing bracket is missing before this")
	case strings.Contains(err.Error(), "after object key"):
		f.problem(at, "", "a colon is missing before this")
	case strings.Contains(err.Error(), "after top-level value"):
		f.problem(at, "", "something follows the end of the JSON; one file holds one instance")
	case strings.Contains(err.Error(), "in string escape code"):
		f.problem(at, "", `a \ that begins nothing known; a \ is written \\`)
	default:
		r, _ := utf8.DecodeRune(rest)
		f.problem(at, "", "%q is not expected here; JSON wants its texts between \" and a comma between two members", r)
	}
}

// mistakes walks over broken JSON, text by text, so that what stands inside of a text is not taken for a mistake.
type mistakes struct {
	*findings
	text []byte
	at   int
}

func (m *mistakes) find() {
	for m.at < len(m.text) {
		rest := m.text[m.at:]
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == '"':
			m.straight()
		case isCurly(r):
			m.curly(r)
			m.at += size
			m.rest()
		case r == '\'':
			m.problem(m.at, "", "a ' instead of \"")
			m.at++
			m.skipTo("'\n")
		case comment(rest) > 0:
			m.problem(m.at, "", "a comment, which JSON does not have; take it out")
			m.at += comment(rest)
		case r == ',':
			if close := m.closing(); close != 0 {
				m.problem(m.at, "", "a comma before %c with nothing between them; take it out", close)
			}
			m.at++
		case r == '\u00a0' || r == '\u200b' || r == '\u202f' || r == '\u3000' || r == '\ufeff':
			m.problem(m.at, "", "an invisible character (U+%04X) between two members; take it out", r)
			m.at += size
		default:
			m.at += size
		}
	}
}

// straight passes over a text that begins with a straight quote. It cannot go on behind its line.
func (m *mistakes) straight() {
	begin := m.at
	for m.at++; m.at < len(m.text); m.at++ {
		switch m.text[m.at] {
		case '"':
			m.at++
			if !m.punctuated() {
				m.endedBefore(begin)
			}
			return
		case '\\':
			m.at++
		case '\n':
			m.unended(begin)
			return
		}
	}
	m.at = len(m.text)
	m.unended(begin)
}

// punctuated says whether what is behind a text can be there.
func (m *mistakes) punctuated() bool {
	rest := bytes.TrimLeft(m.text[m.at:], " \t\r")
	return len(rest) == 0 || bytes.IndexByte([]byte(",:}]\n"), rest[0]) >= 0 || comment(rest) > 0
}

// endedBefore names a curly quote that was meant to end the text which begins at begin, and goes on behind it.
func (m *mistakes) endedBefore(begin int) bool {
	for i, r := range string(m.text[begin:m.at]) {
		if isCurly(r) {
			m.at = begin + i
			m.curly(r)
			m.at += utf8.RuneLen(r)
			return true
		}
	}
	return false
}

func (m *mistakes) unended(begin int) {
	if !m.endedBefore(begin) {
		m.problem(begin, "", "a text begins here and does not end on its line")
	}
}

func (m *mistakes) curly(r rune) { m.problem(m.at, "", "a curly quote %c instead of \"", r) }

// rest passes over a text that began with a curly quote, up to the quote that ends it, of whatever form.
func (m *mistakes) rest() {
	for m.at < len(m.text) {
		r, size := utf8.DecodeRune(m.text[m.at:])
		switch {
		case r == '\n':
			return
		case isCurly(r):
			m.curly(r)
			m.at += size
			return
		case r == '"':
			m.at++
			return
		}
		m.at += size
	}
}

func (m *mistakes) skipTo(ends string) {
	if i := bytes.IndexAny(m.text[m.at:], ends); i >= 0 {
		m.at += i + 1
		return
	}
	m.at = len(m.text)
}

// closing is the bracket behind the comma at m.at when only space and comments are between them, else 0.
func (m *mistakes) closing() byte {
	for rest := m.text[m.at+1:]; ; {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		switch n := comment(rest); {
		case n > 0:
			rest = rest[n:]
		case len(rest) > 0 && (rest[0] == '}' || rest[0] == ']'):
			return rest[0]
		default:
			return 0
		}
	}
}

// comment is how long the comment is that a text begins with, 0 when it begins with none.
func comment(text []byte) int {
	end, open := "\n", 0
	switch {
	case bytes.HasPrefix(text, []byte("/*")):
		end, open = "*/", 2
	case bytes.HasPrefix(text, []byte("//")), bytes.HasPrefix(text, []byte("#")):
	default:
		return 0
	}
	if i := bytes.Index(text[open:], []byte(end)); i >= 0 {
		return open + i + len(end)
	}
	return len(text)
}

func isCurly(r rune) bool { return strings.ContainsRune("“”„‟«»‘’‚‛″", r) }
