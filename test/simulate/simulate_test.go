// Package simulate compares Postern's decisions with those of another engine,
// @cloud-copilot/iam-simulate, on random rows of `postern explain --batch`. It
// is a witness only: where the two differ, AWS's pages settle who is right, in
// docs/conformance.md, and nothing is done to please it. Nothing of it is
// copied or linked.
package simulate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/cli"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/test/witness"
)

// batchRows are judged at a time by one process of the witness.
const batchRows = 500

// TestAgainstIAMSimulate compares random rows until the time is up. The time
// and the first seed can be set, for long runs: POSTERN_SIMULATE=10m,
// POSTERN_SIMULATE_SEED=7.
func TestAgainstIAMSimulate(t *testing.T) {
	node := witness.Need(t, "node")
	modules := modulesFolder(t)
	limit, seed := 12*time.Second, uint64(1)
	if text := os.Getenv("POSTERN_SIMULATE"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		limit = d
	}
	if text := os.Getenv("POSTERN_SIMULATE_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	c := newComparison(t)
	until := time.Now().Add(limit)
	var wait sync.WaitGroup
	workers := uint64(max(2, runtime.NumCPU()))
	for worker := range workers {
		wait.Go(func() {
			w := startWitness(t, node, modules)
			defer w.stop(t)
			for n := uint64(0); n < 4 || time.Now().Before(until); n++ {
				if t.Failed() {
					return
				}
				compareBatch(t, c, w, seed+workers*n+worker)
			}
		})
	}
	wait.Wait()
	c.report(t)
}

// compareBatch judges one batch with both.
func compareBatch(t *testing.T, c *comparison, w *simulator, seed uint64) {
	g := generator{Rand: rand.New(rand.NewPCG(seed, 42))}
	rows := make([]*row, batchRows)
	var lines bytes.Buffer
	for i := range rows {
		rows[i] = g.row(i)
		lines.Write(rows[i].line())
	}
	theirs, err := w.ask(lines.Bytes(), batchRows)
	if err != nil {
		t.Errorf("witness: %v", err)
		return
	}
	ours := postern(t, lines.Bytes())
	if len(ours) != len(rows) {
		t.Errorf("%d verdicts for %d rows", len(ours), len(rows))
		return
	}
	for i, r := range rows {
		c.compare(t, seed, r, ours[i], theirs[i])
	}
}

// postern runs the real command in this process.
func postern(t *testing.T, rows []byte) []verdict {
	streams, out, talk := ui.Test(string(rows))
	none := func(string) string { return "" }
	if code := cli.Main(context.Background(), []string{"explain", "--batch"}, streams, none); code != fault.OK || talk.Len() > 0 {
		t.Errorf("exit code %d: %s", code, talk)
		return nil
	}
	var verdicts []verdict
	for line := range strings.Lines(out.String()) {
		var v verdict
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Error != "" {
			t.Errorf("verdict %s: %v", line, err)
			return nil
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// modulesFolder is where make test puts the pinned npm packages.
func modulesFolder(t testing.TB) string {
	t.Helper()
	folder, err := filepath.Abs("../../.cache/node/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "@cloud-copilot", "iam-simulate")); err != nil {
		missing := fmt.Sprintf("@cloud-copilot/iam-simulate is not in %s; make tools installs it", folder)
		if os.Getenv("POSTERN_REQUIRE") == "all" {
			t.Fatal("POSTERN_REQUIRE=all: " + missing)
		}
		t.Skip(missing)
	}
	return folder
}

// simulator is a running driver.cjs.
type simulator struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

func startWitness(t testing.TB, node, modules string) *simulator {
	w := &simulator{cmd: exec.Command(node, "driver.cjs")}
	w.cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	w.cmd.Stderr = &w.stderr
	in, err := w.cmd.StdinPipe()
	if err != nil {
		t.Error(err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
	}
	w.in, w.out = in, bufio.NewReaderSize(out, 1<<20)
	if err := w.cmd.Start(); err != nil {
		t.Errorf("start the witness: %v", err)
	}
	return w
}

func (w *simulator) stop(t testing.TB) {
	if err := w.in.Close(); err != nil {
		t.Errorf("close the witness: %v", err)
	}
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("witness: %v\n%s", err, &w.stderr)
	}
}

// ask sends rows and reads as many verdicts.
func (w *simulator) ask(rows []byte, n int) ([]verdict, error) {
	sent := make(chan error, 1)
	go func() {
		_, err := w.in.Write(rows)
		sent <- err
	}()
	verdicts := make([]verdict, n)
	for i := range verdicts {
		line, err := w.out.ReadBytes('\n')
		if err != nil {
			return nil, fmt.Errorf("read verdict %d: %w\n%s", i, err, &w.stderr)
		}
		if err := json.Unmarshal(line, &verdicts[i]); err != nil {
			return nil, fmt.Errorf("verdict %s: %w", line, err)
		}
	}
	return verdicts, <-sent
}

// comparison counts, by class of disagreement.
type comparison struct {
	mu       sync.Mutex
	rows     int
	refused  map[string]int // by what the witness said
	plain    int            // rows of no class; all agree
	decided  map[string]int // of the plain ones
	inClass  map[string]int
	differed map[string]int
	shown    map[string]bool
}

func newComparison(*testing.T) *comparison {
	return &comparison{refused: map[string]int{}, decided: map[string]int{}, inClass: map[string]int{}, differed: map[string]int{}, shown: map[string]bool{}}
}

func (c *comparison) compare(t *testing.T, seed uint64, r *row, ours, theirs verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows++
	if theirs.Error != "" {
		c.refused[theirs.Error]++
		return
	}
	var in []string
	for _, class := range classes {
		if class.holds(r, theirs.Ignored) {
			in = append(in, class.name)
			c.inClass[class.name]++
		}
	}
	if len(in) == 0 {
		c.plain++
		c.decided[ours.Decision]++
	}
	if ours.Decision == theirs.Decision {
		return
	}
	for _, name := range in {
		c.differed[name]++
	}
	if len(in) == 0 && !t.Failed() {
		t.Errorf("seed %d: postern says %s, iam-simulate %s (dropped keys %v):\n%s", seed, ours.Decision, theirs.Decision, theirs.Ignored, r.line())
	}
}

func (c *comparison) report(t *testing.T) {
	t.Logf("%d rows, %d of no class (%v)", c.rows, c.plain, c.decided)
	var names []string
	for name := range c.inClass {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Logf("%6d rows, %5d differ: %s", c.inClass[name], c.differed[name], name)
	}
	for why, n := range c.refused {
		t.Logf("%6d rows refused by the witness: %s", n, why)
	}
	if c.plain < c.rows/2 {
		t.Errorf("only %d of %d rows are of no class: the comparison says little", c.plain, c.rows)
	}
	for _, decision := range []string{"allowed", "implicitly_denied", "explicitly_denied"} {
		if c.decided[decision] < c.plain/20 {
			t.Errorf("only %d of %d plain rows are %s", c.decided[decision], c.plain, decision)
		}
	}
}

// Each class is settled in docs/conformance.md, by a page of AWS.
func TestClassesAreSettled(t *testing.T) {
	text, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	var settled, known []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|.*\\]\\(https://docs.aws.amazon.com/").FindAllStringSubmatch(string(text), -1) {
		settled = append(settled, m[1])
	}
	for _, class := range classes {
		known = append(known, class.name)
	}
	slices.Sort(settled)
	slices.Sort(known)
	if diff := cmp.Diff(known, settled); diff != "" {
		t.Errorf("classes of the test and of docs/conformance.md (-test +docs):\n%s", diff)
	}
}
