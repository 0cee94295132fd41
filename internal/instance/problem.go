package instance

import (
	"cmp"
	"fmt"
	"strings"
)

// Problem is one thing that a person should do or know, in one line. It never holds the value of a secret.
type Problem struct {
	Line, Column int    // from 1, in characters; 0: it is about no one place of the file
	Key          string // of the instance, a dot between the steps; empty: it is about the file itself
	Text         string
}

func (p Problem) String() string {
	var where []string
	if p.Line > 0 {
		where = append(where, fmt.Sprintf("line %d, column %d", p.Line, p.Column))
	}
	if p.Key != "" {
		where = append(where, printable(p.Key))
	}
	return strings.Join(append(where, p.Text), ": ")
}

// Refusal is why an instance cannot be imported: everything at once.
type Refusal struct{ Problems []Problem }

func (r *Refusal) Error() string {
	lines := make([]string, len(r.Problems))
	for i, p := range r.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// mostProblems bounds what a file of nothing but mistakes makes us say.
const mostProblems = 40

// findings collects what a reading has to say about one text.
type findings struct {
	text     []byte
	problems []Problem
	warnings []Problem
	unknown  []string // keys
}

// problem is about the place of offset, which is -1 when there is none.
func (f *findings) problem(offset int, key, format string, args ...any) {
	f.problems = f.add(f.problems, offset, key, fmt.Sprintf(format, args...))
}

func (f *findings) warn(offset int, key, format string, args ...any) {
	f.warnings = f.add(f.warnings, offset, key, fmt.Sprintf(format, args...))
}

func (f *findings) add(list []Problem, offset int, key, text string) []Problem {
	switch p := (Problem{Key: key, Text: text}); {
	case len(list) < mostProblems:
		if offset >= 0 {
			p.Line, p.Column = lineAndColumn(f.text, offset)
		}
		return append(list, p)
	case len(list) == mostProblems:
		return append(list, Problem{Text: "and more of the kind"})
	}
	return list
}

// adopt takes over what was found in a text that stands at offset, under key: its lines are not lines of the file.
func (f *findings) adopt(inner *findings, offset int, key string) {
	move := func(to *[]Problem, from []Problem) {
		for _, p := range from {
			where := Problem{Line: p.Line, Column: p.Column, Text: p.Text}
			*to = f.add(*to, offset, cmp.Or(p.Key, key), "in its text, "+where.String())
		}
	}
	move(&f.problems, inner.problems)
	move(&f.warnings, inner.warnings)
	f.unknown = append(f.unknown, inner.unknown...)
}

// printable makes one harmless line of a text that comes from outside.
func printable(text string) string {
	const most = 200 // characters
	runes := []rune(text)
	if len(runes) > most {
		runes = append(runes[:most], '…')
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			return ' ' // controls, and what turns or breaks a line
		}
		return r
	}, string(runes))
}
