package explain

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/cli/ui"
)

const (
	maxRow       = 16 << 20 // bytes
	chunkRows    = 256      // rows handed to a worker at once
	maxCached    = 8 << 20  // bytes of policy text kept compiled, which takes some 18 times as much; more start over
	perPolicy    = 64       // what a policy without text would count for
	chunksAtOnce = 4        // read ahead, for each worker
)

// byteOrderMark begins the files of some editors.
const byteOrderMark = "\xef\xbb\xbf"

// batch answers JSON Lines: one verdict a row, in the order of the rows. Rows
// are judged in parallel, and policies whose text comes again are compiled
// once. What is read so far is answered at once, so that a peer may wait for
// each verdict before it sends the next row.
type batch struct {
	cache policyCache
	talk  *ui.Printer
}

// chunk is some rows on their way, and what became of them.
type chunk struct {
	rows [][]byte
	out  bytes.Buffer
	done chan struct{}
}

// run reads until the end of in or of ctx. It waits for its workers, but not
// for a reader that blocks when ctx ends.
func (b *batch) run(ctx context.Context, in io.Reader, out io.Writer) error {
	workers := runtime.GOMAXPROCS(0)
	todo := make(chan *chunk, workers*chunksAtOnce)
	inOrder := make(chan *chunk, workers*chunksAtOnce)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for c := range todo {
				b.answer(c)
			}
		})
	}
	var unread error // why rows are left
	wait.Go(func() {
		defer close(inOrder)
		defer close(todo)
		unread = readChunks(ctx, in, func(c *chunk) bool {
			select {
			case inOrder <- c:
				todo <- c // has room whenever inOrder had
				return true
			case <-ctx.Done():
				return false
			}
		})
	})
	if err := writeChunks(ctx, inOrder, out); err != nil {
		return err
	}
	wait.Wait()
	return unread
}

func writeChunks(ctx context.Context, chunks <-chan *chunk, out io.Writer) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c, more := <-chunks:
			if !more {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-c.done:
			}
			if _, err := out.Write(c.out.Bytes()); err != nil {
				return err
			}
		}
	}
}

// readChunks hands on rows as they come: a chunk ends when it is full or when
// more rows would have to be waited for.
func readChunks(ctx context.Context, in io.Reader, hand func(*chunk) bool) error {
	r := bufio.NewReaderSize(in, 1<<20)
	c := &chunk{done: make(chan struct{})}
	for {
		row, err := readRow(r)
		if len(bytes.TrimSpace(row)) > 0 {
			c.rows = append(c.rows, row)
		}
		ready := err != nil || len(c.rows) >= chunkRows || !holdsRow(r)
		if len(c.rows) > 0 && ready {
			if !hand(c) {
				return nil
			}
			c = &chunk{done: make(chan struct{})}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read rows: %w", err)
		case ctx.Err() != nil:
			return nil
		}
	}
}

// holdsRow says whether another row can be read without waiting.
func holdsRow(r *bufio.Reader) bool {
	have, _ := r.Peek(r.Buffered())
	return bytes.IndexByte(have, '\n') >= 0
}

// readRow reads a line. Of one that is too long it keeps just enough to see
// that it is.
func readRow(r *bufio.Reader) ([]byte, error) {
	var row []byte
	for {
		part, err := r.ReadSlice('\n')
		if room := maxRow + 1 - len(row); len(part) > room {
			part = part[:room]
		}
		row = append(row, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return row, err
		}
	}
}

func (b *batch) answer(c *chunk) {
	defer close(c.done)
	encoder := json.NewEncoder(&c.out)
	encoder.SetEscapeHTML(false)
	for _, row := range c.rows {
		v := b.verdict(row)
		if v.ID == nil {
			v.ID = json.RawMessage("null")
		}
		if err := encoder.Encode(v); err != nil { // cannot be: the id was read as JSON
			_ = encoder.Encode(verdict{ID: json.RawMessage("null"), Error: err.Error()})
		}
	}
}

func (b *batch) verdict(row []byte) verdict {
	row = bytes.TrimPrefix(row, []byte(byteOrderMark))
	if len(row) > maxRow {
		return verdict{ID: rowID(row), Error: fmt.Sprintf("row is longer than %d bytes", maxRow)}
	}
	q, err := parseQuestion(row)
	if err != nil {
		return verdict{ID: q.ID, Error: err.Error()}
	}
	r, err := q.request()
	if err != nil {
		return verdict{ID: q.ID, Error: err.Error()}
	}
	l, err := q.layers(b.compile)
	if err != nil {
		return verdict{ID: q.ID, Error: err.Error()}
	}
	ex := l.Explain(r)
	return verdict{ID: q.ID, Decision: decisionName(ex.Decision), BlockedBy: layerKeys(ex.BlockedBy)}
}

// compile takes what cannot be evaluated for doubt, and says so on stderr once
// for each text.
func (b *batch) compile(kind eval.Kind, name string, text []byte) (*eval.Policy, error) {
	c := b.cache.get(kind, text, func(doubts error) {
		b.talk.Printf("warning: %v\n", doubts)
	})
	if c.err != nil {
		return nil, fmt.Errorf("%s: %w", name, c.err)
	}
	return c.policy, nil
}

// policyCache keeps compiled policies by kind and text.
type policyCache struct {
	mu   sync.RWMutex
	seen [eval.RCP + 1]map[string]compiled
	held int // bytes of text, of all kinds
}

type compiled struct {
	policy *eval.Policy
	err    error // of the text; then there is no policy
}

func (c *policyCache) get(kind eval.Kind, text []byte, doubts func(error)) compiled {
	c.mu.RLock()
	have, ok := c.seen[kind][string(text)]
	c.mu.RUnlock()
	if ok {
		return have
	}
	made, open := compileBatch(kind, text)
	c.mu.Lock()
	defer c.mu.Unlock()
	if have, ok := c.seen[kind][string(text)]; ok { // another worker was first
		return have
	}
	c.keep(kind, text, made)
	if open != nil {
		doubts(open)
	}
	return made
}

// keep starts over when the texts get too many; a text that is too long by
// itself is not kept.
func (c *policyCache) keep(kind eval.Kind, text []byte, made compiled) {
	cost := len(text) + perPolicy
	if cost > maxCached {
		return
	}
	if c.held+cost > maxCached {
		clear(c.seen[:])
		c.held = 0
	}
	if c.seen[kind] == nil {
		c.seen[kind] = map[string]compiled{}
	}
	c.held += cost
	c.seen[kind][string(text)] = made
}

// compileBatch compiles a text; the error is what of it is in doubt.
func compileBatch(kind eval.Kind, text []byte) (compiled, error) {
	doc, err := iam.Parse(text)
	if err != nil {
		return compiled{err: err}, nil
	}
	p, doubts := eval.Compile(kind.String(), kind, doc)
	return compiled{policy: p}, doubts
}
