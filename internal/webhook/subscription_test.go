package webhook

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSubscriptionsNameTheFieldThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		edit        func(*SubscriptionConfig)
		errContains string // "": it can be used
	}{
		{"as it is", func(*SubscriptionConfig) {}, ""},
		{"all defaults", func(c *SubscriptionConfig) { c.Version, c.CheckInterval = "", 0 }, ""},
		{"objects of any spelling", func(c *SubscriptionConfig) {
			c.Events = []string{"*.*", "create.deal_product", "change.activityType", "delete.x"}
		}, ""},
		{"version 1", func(c *SubscriptionConfig) {
			c.Version, c.Events = "1.0", []string{"added.deal", "updated.*", "deleted.person", "merged.organization", "*.*"}
		}, ""},
		{"255 letters", func(c *SubscriptionConfig) { c.Name = strings.Repeat("ö", 255) }, ""},
		{"no URL", func(c *SubscriptionConfig) { c.URL = "" }, "registration.public_url: is not a URL"},
		{"no scheme", func(c *SubscriptionConfig) { c.URL = "hooks.example.com/x" }, "registration.public_url: is not a URL"},
		{"ftp", func(c *SubscriptionConfig) { c.URL = "ftp://hooks.example.com" }, "registration.public_url: is not a URL"},
		{"credentials in it", func(c *SubscriptionConfig) { c.URL = "https://u:5ec4e7@hooks.example.com" }, "registration.public_url: holds credentials"},
		{"a query", func(c *SubscriptionConfig) { c.URL += "?key=5ec4e7" }, "registration.public_url: holds a query"},
		{"no name", func(c *SubscriptionConfig) { c.Name = "" }, `registration.name: "" came`},
		{"a blank at its end", func(c *SubscriptionConfig) { c.Name = "benthos " }, `registration.name: "benthos " came`},
		{"256 letters", func(c *SubscriptionConfig) { c.Name = strings.Repeat("ö", 256) }, "registration.name: has 256 characters, at most 255"},
		{"version 3", func(c *SubscriptionConfig) { c.Version = "3.0" }, `registration.version: "3.0" came, it must be "1.0" or "2.0"`},
		{"user", func(c *SubscriptionConfig) { c.UserID = "me" }, `registration.user_id: "me" came`},
		{"interval", func(c *SubscriptionConfig) { c.CheckInterval = -1 }, "registration.check_interval: -1ns came"},
		{"no events", func(c *SubscriptionConfig) { c.Events = nil }, "registration.events: is empty"},
		{"one word", func(c *SubscriptionConfig) { c.Events = []string{"*.*", "deal"} }, `registration.events: "deal" came, want action.object such as create.deal`},
		{"the other way round", func(c *SubscriptionConfig) { c.Events = []string{"deal.change"} }, "one of create, change, delete, * (version 2.0)"},
		{"words of version 1", func(c *SubscriptionConfig) { c.Events = []string{"updated.deal"} }, `registration.events: "updated.deal" came`},
		{"words of version 2", func(c *SubscriptionConfig) { c.Version = "1.0"; c.Events = []string{"change.deal"} }, "one of added, updated, deleted, merged, * (version 1.0)"},
		{"three words", func(c *SubscriptionConfig) { c.Events = []string{"change.deal.title"} }, `"change.deal.title" came`},
		{"no object", func(c *SubscriptionConfig) { c.Events = []string{"change."} }, `"change." came`},
		{"a pattern", func(c *SubscriptionConfig) { c.Events = []string{"change.deal*"} }, `"change.deal*" came`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := SubscriptionConfig{URL: ourURL, Name: ourName, Version: "2.0", Events: []string{"*.*"}}
			test.edit(&cfg)
			err := cfg.Check()
			if test.errContains == "" {
				assert.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.errContains)
			assert.ErrorAs(t, err, new(*ConfigError))
			assert.NotContains(t, err.Error(), "5ec4e7")
		})
	}
}
