package osusers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// process is one that runs with a uid of Postern's.
type process struct {
	pid  int
	uids []uint32 // real, effective, saved, of files
}

// processes reads /proc. Those that are dead and only not yet waited for are
// left out.
func processes() ([]process, error) {
	names, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return nil, err
	}
	var found []process
	for _, name := range names {
		status, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return nil, fmt.Errorf("read /proc: %w", err)
		}
		p := process{pid: pid, uids: uidsOf(string(status))}
		if slices.ContainsFunc(p.uids, sshkeys.OwnUID) {
			found = append(found, p)
		}
	}
	return found, nil
}

// uidsOf reads the line "Uid:" of a process's status; none for a zombie.
//
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func uidsOf(status string) []uint32 {
	var uids []uint32
	for line := range strings.Lines(status) {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "State":
			if strings.HasPrefix(strings.TrimSpace(value), "Z") {
				return nil
			}
		case "Uid":
			for _, f := range strings.Fields(value) {
				uids = append(uids, number(f))
			}
		}
	}
	return uids
}

// running are the uids of Postern's that any process has.
func running() (map[uint32]bool, error) {
	all, err := processes()
	busy := map[uint32]bool{}
	for _, p := range all {
		for _, uid := range p.uids {
			busy[uid] = true
		}
	}
	return busy, err
}

// kill gives the processes of a uid the grace to end by themselves, and then
// kills until none is left: one that forks may outrun a single pass.
func (h Host) kill(ctx context.Context, uid uint32) error {
	end := time.Now().Add(h.Grace)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		busy, err := running()
		if err != nil || !busy[uid] {
			return err
		}
		if now := time.Now(); now.After(end) {
			if now.After(end.Add(h.Grace + time.Second)) {
				return fmt.Errorf("processes of uid %d do not die", uid)
			}
			if err := signal(uid, killed); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// signal sends one to all processes of a uid.
func signal(uid uint32, send func(pid int) error) error {
	all, err := processes()
	if err != nil {
		return err
	}
	for _, p := range all {
		if slices.Contains(p.uids, uid) {
			if err := send(p.pid); err != nil {
				return fmt.Errorf("signal process %d: %w", p.pid, err)
			}
		}
	}
	return nil
}
