package webhook

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestInstancePath(t *testing.T) {
	assert.Equal(t, "/events/pipedrive/MjA5MzE=", InstancePath("/events/pipedrive", "20931"))
	assert.Equal(t, "/events/pipedrive/MjA5MzE=", InstancePath("/events/pipedrive/", "20931"))
	assert.Equal(t, "/events/pipedrive", InstancePath("/events/pipedrive", ""))
}

func TestCredentials(t *testing.T) {
	known := newCredentials([]Credential{{"hook", "new"}, {"hook", "old"}, {"other", "third"}})
	for _, test := range []struct {
		name, username, password string
		want                     int
	}{
		{"the first", "hook", "new", 0},
		{"another, while a password is rotated", "hook", "old", 1},
		{"another user", "other", "third", 2},
		{"a user with another's password", "other", "new", -1},
		{"a wrong password", "hook", "newer", -1},
		{"a beginning", "hook", "ne", -1},
		{"empty", "", "", -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.SetBasicAuth(test.username, test.password)
			assert.Equal(t, test.want, known.match(r))
		})
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	assert.Equal(t, -1, known.match(r), "none at all")
	r.Header.Set("Authorization", "Bearer new")
	assert.Equal(t, -1, known.match(r), "another scheme")
	r.Header.Set("Authorization", "basic aG9vazpuZXc=")
	assert.Equal(t, 0, known.match(r), "another spelling of the scheme")
	r.Header.Set("Authorization", "Basic aG9vazpuZXc= ")
	assert.Equal(t, -1, known.match(r), "something behind it")
}

func TestAddresses(t *testing.T) {
	prefixes := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	allowed, proxies := prefixes("192.0.2.0/24", "2001:db8::/32", "10.9.0.1/32"), prefixes("10.0.0.0/8")
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       bool
	}{
		{"an allowed peer", "192.0.2.7:4711", nil, true},
		{"an allowed peer of version 6", "[2001:db8::1]:4711", nil, true},
		{"one of version 4, written as 6", "[::ffff:192.0.2.7]:4711", nil, true},
		{"another peer", "198.51.100.1:4711", nil, false},
		{"another peer, which claims to forward", "198.51.100.1:4711", []string{"192.0.2.7"}, false},
		{"an allowed peer, which forwards another's", "192.0.2.7:4711", []string{"198.51.100.1"}, true},
		{"through a trusted proxy", "10.0.0.1:4711", []string{"192.0.2.7"}, true},
		{"through two of them", "10.0.0.1:4711", []string{"192.0.2.7, 10.0.0.2"}, true},
		{"through two headers", "10.0.0.1:4711", []string{"192.0.2.7", "10.0.0.2"}, true},
		{"with a port, as some proxies write it", "10.0.0.1:4711", []string{"192.0.2.7:5000"}, true},
		{"who wrote an allowed address before the proxy's", "10.0.0.1:4711", []string{"192.0.2.7, 198.51.100.1"}, false},
		{"through a trusted proxy that hides it", "10.0.0.1:4711", []string{"unknown"}, false},
		{"a trusted proxy itself", "10.0.0.1:4711", nil, false},
		{"a trusted proxy itself that is allowed", "10.9.0.1:4711", nil, true},
		{"nothing readable", "@", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr = test.peer
			r.Header["X-Forwarded-For"] = test.forwarded
			assert.Equal(t, test.want, addresses{allowed, proxies}.admit(r))
			assert.True(t, addresses{nil, proxies}.admit(r), "without a list everybody may")
		})
	}
}
