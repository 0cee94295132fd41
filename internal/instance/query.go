package instance

import (
	"regexp"
	"strings"
)

// urlQuery is what the url of a resource asks with.
type urlQuery struct {
	since      string   // the parameter that takes the time of the last poll, in RFC 3339
	kept       []string // name=value
	dropped    []string // names
	conditions []string // fields that the where clause compares, times apart
}

var (
	// timeOfPoll is where Cloud Elements put in the time of the last poll, and the Java pattern it wrote it with.
	timeOfPoll = regexp.MustCompile(`\$\{[A-Za-z]+:?(.*?)\}`)
	// rfc3339 is the pattern that since_parameter is sent with.
	rfc3339  = regexp.MustCompile(`^(?:[^:]*:)?yyyy-MM-dd'T'HH:mm:ss(?:'Z'|Z|X{1,3})$`)
	and      = regexp.MustCompile(`(?i)\s+and\s+`)
	compared = regexp.MustCompile(`^[\s('"]*([0-9A-Za-z_. ]*[0-9A-Za-z_])`)
	plainArg = regexp.MustCompile(`^[0-9A-Za-z_.~-]+=[0-9A-Za-z_.~%,:+-]*$`)
	secretly = regexp.MustCompile(`(?i)token|secret|passw|key|auth`)
)

func readQuery(query string) (q urlQuery) {
	for part := range strings.SplitSeq(query, "&") {
		name, arg, _ := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		when := timeOfPoll.FindStringSubmatch(arg)
		switch {
		case part == "":
		case strings.EqualFold(name, "where"):
			q.conditions = append(q.conditions, otherConditions(arg)...)
		case when != nil && rfc3339.MatchString(when[1]) && q.since == "" && plainArg.MatchString(name+"="):
			q.since = name
		case when == nil && plainArg.MatchString(part) && !secretly.MatchString(name):
			q.kept = append(q.kept, part)
		default:
			q.dropped = append(q.dropped, name)
		}
	}
	return q
}

// otherConditions are the fields of a where clause that are compared with anything but the time of the last poll.
func otherConditions(where string) (fields []string) {
	for condition := range strings.SplitSeq(and.ReplaceAllString(where, "\n"), "\n") {
		if strings.TrimSpace(condition) == "" || strings.Contains(condition, "${") {
			continue
		}
		field := "a condition"
		if found := compared.FindStringSubmatch(condition); found != nil {
			field = strings.TrimSpace(found[1])
		}
		fields = append(fields, field)
	}
	return fields
}

func namesOf(parameters []string) (names []string) {
	for _, p := range parameters {
		name, _, _ := strings.Cut(p, "=")
		names = append(names, name)
	}
	return names
}
