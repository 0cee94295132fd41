package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
)

// InstancePath is the path with the base64 of an instance id behind it, as Cloud Elements' users have it configured in
// Pipedrive: /events/pipedrive/MjA5MzE= for instance 20931.
func InstancePath(path, instanceID string) string {
	if instanceID == "" {
		return path
	}
	return strings.TrimSuffix(path, "/") + "/" + base64.StdEncoding.EncodeToString([]byte(instanceID))
}

// Credential is a user and password that Pipedrive sends by HTTP Basic.
type Credential struct{ Username, Password string }

// credentials compares in a time that tells nothing about how much was right.
type credentials []secret

// secret is what a credential is compared by.
type secret struct{ header, username, password [sha256.Size]byte }

func newCredentials(known []Credential) credentials {
	c := make(credentials, len(known))
	for i, k := range known {
		c[i] = secret{
			header:   sha256.Sum256([]byte("Basic " + base64.StdEncoding.EncodeToString([]byte(k.Username+":"+k.Password)))),
			username: sha256.Sum256([]byte(k.Username)),
			password: sha256.Sum256([]byte(k.Password)),
		}
	}
	return c
}

// match returns which credential a request carries, 0 the first; -1: none of them.
func (c credentials) match(r *http.Request) int {
	if i := c.matchHeader(r); i >= 0 {
		return i
	}
	return c.matchWords(r)
}

// matchHeader knows the spelling that everybody uses, Pipedrive too, without taking it apart.
func (c credentials) matchHeader(r *http.Request) int {
	header := sha256.Sum256([]byte(r.Header.Get("Authorization")))
	found := -1
	for i := range c {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(c[i].header[:], header[:]), i, found)
	}
	return found
}

func (c credentials) matchWords(r *http.Request) int {
	username, password, ok := r.BasicAuth()
	user, pass := sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))
	found := -1
	for i := range c {
		same := subtle.ConstantTimeCompare(c[i].username[:], user[:]) & subtle.ConstantTimeCompare(c[i].password[:], pass[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if !ok {
		return -1
	}
	return found
}

// addresses says who may knock. No allowed prefix means everybody.
type addresses struct{ allowed, proxies []netip.Prefix }

func (a addresses) admit(r *http.Request) bool {
	if len(a.allowed) == 0 {
		return true
	}
	from, ok := a.sender(r)
	return ok && contains(a.allowed, from)
}

// sender is the address of the peer, or what a trusted proxy says it is: the last address of X-Forwarded-For that is not
// itself a trusted proxy. A proxy that says nothing speaks for itself, as when it looks at the health of the door.
func (a addresses) sender(r *http.Request) (netip.Addr, bool) {
	from, ok := address(r.RemoteAddr)
	if forwarded := r.Header.Values("X-Forwarded-For"); len(forwarded) > 0 {
		hops := strings.Split(strings.Join(forwarded, ","), ",")
		for i := len(hops) - 1; ok && i >= 0 && contains(a.proxies, from); i-- {
			from, ok = address(strings.TrimSpace(hops[i]))
		}
	}
	return from, ok
}

// address reads one with or without a port: some proxies write the port into X-Forwarded-For.
func address(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(text)
		a = withPort.Addr()
	}
	return a.Unmap().WithZone(""), err == nil
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
