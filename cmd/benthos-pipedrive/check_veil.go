package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

// veil takes out of a text what a configuration keeps secret. Errors of our own hold no secret; those of other people's
// caches and outputs may repeat what they were configured with.
type veil struct{ secrets []string }

const hidden = "***"

var (
	secretField = regexp.MustCompile(`(^|_)(password|passphrase|secret|token|dsn|keys?)$`)
	plainFields = []string{"checkpoint_cache_key", "token_cache_key"}
	// userInfo is a name and a password before a host; asParameter a password in a query or a connection string.
	userInfo    = regexp.MustCompile(`[^\s:/@"']+:[^\s/@"']+@`)
	asParameter = regexp.MustCompile(`(?i)(password|passwd|pwd|token|secret)=[^\s&;"']+`)
)

// learn collects the values of secret fields, at any depth of a configuration.
func (v *veil) learn(value any, field string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			v.learn(inner, name)
		}
	case []any:
		for _, inner := range value {
			v.learn(inner, field)
		}
	case string:
		const guessable = 4 // so short a text would be taken out of ordinary words
		if len(value) > guessable && secretField.MatchString(field) && !slices.Contains(plainFields, field) {
			v.secrets = append(v.secrets, value)
		}
	}
}

func (v *veil) over(text string) string {
	for _, secret := range v.secrets {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return asParameter.ReplaceAllString(userInfo.ReplaceAllString(text, hidden+"@"), "$1="+hidden)
}

func (v *veil) overReport(r *checkup.Report) {
	for i := range r.Lines {
		r.Lines[i].Found = v.over(r.Lines[i].Found)
	}
}
