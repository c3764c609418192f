package apply

import (
	"slices"
	"sync"
	"time"
)

// gate bounds the calls in flight in one account and adapts the bound to what
// AWS grants: additive increase, multiplicative decrease, as TCP does it.
// Waiters are served in the order in which they came.
type gate struct {
	mu    sync.Mutex
	limit int // 1 to most
	most  int
	busy  int
	good  int // unthrottled calls since limit last changed
	round int // counts decreases
	queue []chan int

	granted time.Time // when a call last got through; zero: never
}

func newGate(most int) *gate { return &gate{limit: most, most: most} }

// enter waits for a place and returns the ticket to leave with. It returns
// false if stop closed first.
func (g *gate) enter(stop <-chan struct{}) (ticket int, ok bool) {
	mine := make(chan int, 1)
	g.mu.Lock()
	g.queue = append(g.queue, mine)
	g.admit()
	g.mu.Unlock()
	select {
	case ticket = <-mine:
		return ticket, true
	case <-stop:
		g.abandon(mine)
		return 0, false
	}
}

// abandon takes a waiter out of the queue, or gives back the place that it
// was granted at the same moment.
func (g *gate) abandon(mine chan int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.queue, mine); i >= 0 {
		g.queue = slices.Delete(g.queue, i, i+1)
		return
	}
	g.busy--
	g.admit()
}

// leave gives the place back. Of the calls that were in flight together only
// the first throttled one lowers the limit: they all met the same limit.
func (g *gate) leave(ticket int, throttled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	switch {
	case throttled && ticket == g.round:
		g.limit, g.good = max(1, g.limit/2), 0
		g.round++
	case !throttled:
		g.granted = time.Now()
		g.good++
		if g.good >= g.limit && g.limit < g.most {
			g.limit, g.good = g.limit+1, 0
		}
	}
	g.admit()
}

// lastGranted is when the account last let a call through.
func (g *gate) lastGranted() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.granted
}

func (g *gate) admit() {
	for g.busy < g.limit && len(g.queue) > 0 {
		g.queue[0] <- g.round
		g.queue = g.queue[1:]
		g.busy++
	}
}
