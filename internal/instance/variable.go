package instance

import (
	"fmt"
	"strings"
)

// Variable is an environment variable that the pipeline reads.
type Variable struct {
	Name  string
	Means string // in a few words
}

// Variables are those that have to be set. Those with a default stand in the templates alone.
func (s sheet) Variables() []Variable {
	var needed []Variable
	need := func(name, format string, args ...any) {
		needed = append(needed, Variable{Name: s.Name(name), Means: fmt.Sprintf(format, args...)})
	}
	if s.Polling != nil {
		need("PIPEDRIVE_API_TOKEN", "%s", s.tokenMeans())
	} else {
		need("HOOK_USERNAME", "free: what Pipedrive sends as the user of HTTP Basic")
		need("HOOK_PASSWORD", "free: the password that goes with it")
	}
	if s.Callback.URL == "" {
		need("CALLBACK_URL", "the value of %s", keyCallbackURL)
	}
	if s.Callback.Signed {
		need("SIGNING_KEY", "the value of %s", keySignature)
	}
	if s.Callback.Basic {
		need("CALLBACK_USERNAME", "the value of %s", keyBasicUsername)
		need("CALLBACK_PASSWORD", "the value of %s", keyBasicPassword)
	}
	for _, h := range s.Callback.Headers {
		if h.Value == "" {
			need(h.Variable(), "the value of %s in %s", h.Name, keyCallbackHeaders)
		}
	}
	return needed
}

func (s sheet) tokenMeans() string {
	const where = "Pipedrive: Company settings > Personal preferences > API"
	if s.HasToken {
		return "the value of pipedrive.api.token, if it is still valid; " + where
	}
	return where
}

func (h Header) Variable() string {
	return "CALLBACK_HEADER_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(h.Name))
}
