package pipedrive

import "sync/atomic"

// Limits is what is known of the limits that hold for a client. Until an answer has told them they are the guesses
// that the client works with.
type Limits struct {
	Daily     int64 // tokens of the company, a day
	DailyTold bool
	Share     int64 // of these, those that this process may spend
	Left      int64 // tokens that the company has left today; below 0: not told
	Burst     int   // requests of the credential in a window of two seconds
	BurstTold bool
}

// Limits returns what the answers until now have told.
func (c *Client) Limits() Limits {
	l := Limits{}
	l.Burst, l.BurstTold = c.cred.burst.known()
	c.budget().tell(&l)
	return l
}

func (b *burst) known() (limit int, told bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit, b.told
}

func (b *budget) tell(l *Limits) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.Daily, l.DailyTold, l.Share, l.Left = b.limit, b.told, b.part(), -1
	if b.known {
		l.Left = max(b.left, 0)
	}
}

// Cost is how many tokens of the daily budget the requests of this client have taken.
func (c *Client) Cost() int64 { return c.cost.Load() }

// cost counts what a client's requests take, and passes on what it hears.
type cost struct {
	Observer
	atomic.Int64
}

func (c *cost) Spent(tokens int) {
	c.Add(int64(tokens))
	c.Observer.Spent(tokens)
}

// Asks names what a client asks and as whom: clients of one Shared that return the same are one connection.
func (c *Client) Asks() any {
	type connection struct {
		cred   *credential
		origin string
	}
	if c.origin == nil {
		return connection{cred: c.cred}
	}
	return connection{c.cred, c.origin.String()}
}
