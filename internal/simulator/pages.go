package simulator

import "net/url"

// pageCache keeps whole list answers, so that a benchmark measures its client and not the rendering here.
type pageCache struct {
	on     bool
	bodies map[string][]byte
}

func newPageCache(on bool) *pageCache { return &pageCache{on: on, bodies: map[string][]byte{}} }

// pageKey is the same for a query in any order of its parameters.
func pageKey(path string, values url.Values) string { return path + "?" + values.Encode() }

func (p *pageCache) get(key string) ([]byte, bool) {
	body, found := p.bodies[key]
	return body, found
}

func (p *pageCache) keep(key string, body []byte) {
	if p.on {
		p.bodies[key] = body
	}
}

func (p *pageCache) drop() { clear(p.bodies) }
