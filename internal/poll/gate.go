package poll

import (
	"context"
	"sync"
)

// gate stands before every walk. It is shut while the source cannot be read.
type gate struct {
	mu     sync.Mutex
	why    error
	shutCh chan struct{} // closed while shut
	openCh chan struct{} // closed while open
}

func newGate() *gate {
	g := &gate{shutCh: make(chan struct{}), openCh: make(chan struct{})}
	close(g.openCh)
	return g
}

func (g *gate) shut(why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why == nil {
		g.openCh = make(chan struct{})
		close(g.shutCh)
	}
	g.why = why
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why != nil {
		g.shutCh = make(chan struct{})
		close(g.openCh)
	}
	g.why = nil
}

func (g *gate) reason() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.why
}

func (g *gate) shutting() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shutCh
}

func (g *gate) wait(ctx context.Context) error {
	g.mu.Lock()
	open := g.openCh
	g.mu.Unlock()
	select {
	case <-open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
