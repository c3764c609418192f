package ui

import (
	"fmt"
	"sync"
)

// Progress tells on stderr what is going on: on a terminal in a single live
// line, elsewhere in a plain line per step. It may be used from several
// goroutines. Close it before printing anything else.
type Progress struct {
	mu          sync.Mutex
	out         *Printer
	live        bool
	drawn       bool // a live line stands on the screen
	step        string
	done, total int
}

// Progress starts with nothing on the screen.
func (s *Streams) Progress() *Progress {
	return &Progress{out: s.Talk(), live: s.ErrLive}
}

// Step says what is being done now.
func (p *Progress) Step(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step = text
	if p.live {
		p.draw()
		return
	}
	p.out.Line(Dim(p.counted()))
}

// Count sets how much of how much is done. It shows with the next step.
func (p *Progress) Count(done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = done, total
	if p.drawn {
		p.draw()
	}
}

// Mark prints a line that stays, above the live line.
func (p *Progress) Mark(m Mark, spans ...Span) {
	p.mu.Lock()
	defer p.mu.Unlock()
	again := p.drawn
	p.erase()
	p.out.Mark(m, spans...)
	if again {
		p.draw()
	}
}

// Close removes the live line.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.live = false
}

// counted is the step with its count: "[ 3/12] create role shop-deploy".
func (p *Progress) counted() string {
	if p.total == 0 {
		return p.step
	}
	digits := len(fmt.Sprint(p.total))
	return fmt.Sprintf("[%*d/%d] %s", digits, p.done, p.total, p.step)
}

// draw writes the live line over the one before. It is cut to the terminal:
// a line that wraps cannot be erased.
func (p *Progress) draw() {
	p.erase()
	text := oneLine.Replace(Clean(p.counted()))
	if p.out.width > 1 {
		text = Cut(text, p.out.width-1)
	}
	fmt.Fprint(p.out.w, p.out.paint(StyleDim, text))
	p.drawn = true
}

func (p *Progress) erase() {
	if p.drawn {
		fmt.Fprint(p.out.w, "\r\x1b[K")
		p.drawn = false
	}
}
