package instance

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed pipeline.tmpl
var templates string

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"quote":    quote,
	"var":      variableOr,
	"duration": duration,
	"page":     func(size int) int { return min(max(size, minPageSize), maxPageSize) },
}).Parse(templates))

// Pipeline is a configuration for a process of its own, and the variables that it needs.
func (i *Instance) Pipeline() ([]byte, []Variable) {
	return sheet{Instance: i}.write()
}

// sheet is what the templates see.
type sheet struct {
	*Instance
	stream string // the name of the stream; empty: the instance has the process to itself
}

func (s sheet) write() ([]byte, []Variable) { return execute("pipeline", s), s.Variables() }

func execute(page string, data any) []byte {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, page, data); err != nil {
		panic(err) // a mistake in the templates, which does not depend on what was read
	}
	return out.Bytes()
}

func (s sheet) Streams() bool { return s.stream != "" }

// Title is for a comment.
func (s sheet) Title() string {
	title := "The Pipedrive instance of Cloud Elements"
	if s.ID != "" {
		title += " " + s.ID
	}
	if s.Instance.Name != "" {
		title += " (" + remark(s.Instance.Name) + ")"
	}
	if s.Polling != nil {
		return title + ", by polling"
	}
	return title + ", by webhook"
}

// slug is what an instance is called where it must be told apart from others: by its id, else by its name.
func (i *Instance) slug() string {
	return strings.Trim(notSlug.ReplaceAllString(strings.ToLower(cmp.Or(i.ID, i.Name)), "_"), "_")
}

var notSlug = regexp.MustCompile(`[^0-9a-z]+`)

// KeySuffix makes the key of a checkpoint, and the name of a file, the instance's own.
func (s sheet) KeySuffix() string {
	if slug := cmp.Or(s.stream, s.slug()); slug != "" {
		return "_" + slug
	}
	return ""
}

// Name is what a variable is called: several instances in one process need several.
func (s sheet) Name(variable string) string {
	if s.stream == "" {
		return variable
	}
	return variable + "_" + strings.ToUpper(s.stream)
}

// Secret takes a value from a variable that must be set.
func (s sheet) Secret(variable string) string { return "'${" + s.Name(variable) + "}'" }

func (s sheet) HookPath() string {
	return "/events/pipedrive/" + base64.StdEncoding.EncodeToString([]byte(s.ID))
}

func (s sheet) ObjectNames() string {
	return joined(s.Polling.Objects, func(o Object) string { return o.Name })
}

// SaidObjects are the names of the instance, in the same order, the custom ones behind them.
func (s sheet) SaidObjects() string {
	said := joined(s.Polling.Objects, func(o Object) string { return o.Said })
	custom := joined(s.Polling.Custom, func(c Custom) string { return c.Said })
	return remark(strings.Trim(said+", "+custom, ", "))
}

// Unfiltered are the lists that have no time filter, and so their own interval; empty: there is none.
func (s sheet) Unfiltered() string {
	var names []string
	for _, o := range s.Polling.Objects {
		if o.Unfiltered {
			names = append(names, o.Name)
		}
	}
	for _, c := range s.Polling.Custom {
		if c.Since == "" {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

func joined[T any](list []T, name func(T) string) string {
	names := make([]string, len(list))
	for i, item := range list {
		names[i] = name(item)
	}
	return strings.Join(names, ", ")
}

// variableOr takes a value from a variable that need not be set.
func variableOr(variable, otherwise string) string {
	return "${" + variable + ":" + otherwise + "}"
}

var (
	unquoted = regexp.MustCompile(`^[A-Za-z/][0-9A-Za-z_./-]*(?:://[0-9A-Za-z_./-]+)?$`)
	// yamlWords mean something else than themselves.
	yamlWords = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
)

// quote writes a text as YAML reads it, with nothing in it that the host would take for a variable.
func quote(text string) string {
	if unquoted.MatchString(text) && !slices.Contains(yamlWords, strings.ToLower(text)) {
		return text
	}
	return strings.ReplaceAll(strconv.Quote(text), "${", `\x24{`)
}

// remark writes a text for a comment, where the host looks for variables too.
func remark(text string) string { return strings.ReplaceAll(printable(text), "${", "$ {") }

// duration is how a person writes it: 15m, not 15m0s.
func duration(d any) string {
	var t time.Duration
	switch d := d.(type) {
	case time.Duration:
		t = d
	case *time.Duration:
		t = *d
	}
	switch {
	case t != 0 && t%time.Minute == 0:
		return fmt.Sprintf("%dm", t/time.Minute)
	case t%time.Second == 0:
		return fmt.Sprintf("%ds", t/time.Second)
	}
	return t.String()
}
