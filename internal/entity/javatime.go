package entity

import (
	"errors"
	"fmt"
	"strings"
)

// javaLetters are the letters of a Java date pattern that a record's time is written with, and what Go calls them.
// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/time/format/DateTimeFormatter.html
var javaLetters = map[string]string{
	"yyyy": "2006", "uuuu": "2006", "yy": "06",
	"MM": "01", "M": "1", "MMM": "Jan", "MMMM": "January",
	"dd": "02", "d": "2",
	"HH": "15", "hh": "03", "h": "3", "a": "PM",
	"mm": "04", "m": "4", "ss": "05", "s": "5",
	"EEE": "Mon", "EEEE": "Monday",
	"Z": "-0700", "XXX": "Z07:00", "XX": "Z0700", "X": "Z07", "xxx": "-07:00", "xx": "-0700", "z": "MST",
}

// JavaLayout turns a Java date pattern such as `yyyy-MM-dd HH:mm:ss` into a Go layout. Text between single quotes
// stands for itself, and a fraction of a second (`SSS`) has to follow its dot or comma.
func JavaLayout(pattern string) (string, error) {
	var layout strings.Builder
	for rest := pattern; rest != ""; {
		c := rest[0]
		switch {
		case c == '\'':
			text, after, err := quoted(rest)
			if err != nil {
				return "", fmt.Errorf("%q %w", pattern, err)
			}
			layout.WriteString(text)
			rest = after
		case isLetter(c):
			run := rest[:len(rest)-len(strings.TrimLeft(rest, string(c)))]
			rest = rest[len(run):]
			word, known := javaLetters[run]
			if c == 'S' && endsInPoint(layout.String()) {
				word, known = strings.Repeat("0", len(run)), true
			}
			if !known {
				return "", fmt.Errorf("%q has %q, which is not understood; write it like yyyy-MM-dd HH:mm:ss", pattern, run)
			}
			layout.WriteString(word)
		default:
			layout.WriteByte(c)
			rest = rest[1:]
		}
	}
	return layout.String(), nil
}

// quoted reads a text between single quotes; two of them in a row are one. A digit would mean something to Go.
func quoted(rest string) (text, after string, err error) {
	if strings.HasPrefix(rest, "''") {
		return "'", rest[2:], nil
	}
	after = rest[1:]
	for {
		piece, tail, closed := strings.Cut(after, "'")
		if !closed {
			return "", "", errors.New("has a quote that does not end")
		}
		text, after = text+piece, tail
		if !strings.HasPrefix(after, "'") {
			break
		}
		text, after = text+"'", after[1:]
	}
	if strings.ContainsAny(text, "0123456789") {
		return "", "", errors.New("has a digit between quotes, which is not understood")
	}
	return text, after, nil
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func endsInPoint(s string) bool { return strings.HasSuffix(s, ".") || strings.HasSuffix(s, ",") }
