package ssh

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// Before IAM's first answer there is no age to tell, and no day in the year 1.
func TestStatusBeforeTheFirstAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	if err := sshkeys.Write(path, &sshkeys.Snapshot{MaxStale: time.Hour}, -1); err != nil {
		t.Fatal(err)
	}
	sum, found := seeSnapshot(path, sshd.Settings{Sync: []string{"--group=engineers"}}, time.Now())
	if len(found) != 1 || found[0].Severity != sshd.Fail || !strings.HasPrefix(found[0].What, "IAM has not answered yet") {
		t.Errorf("got %+v", found)
	}
	streams, out, _ := ui.Test("")
	statusText((&command.App{Streams: streams}).Result(), statusResult{Installed: true, Snapshot: sum, Drift: found})
	if text := out.String(); strings.Contains(text, "0001") || strings.Contains(text, "last answered") {
		t.Errorf("got:\n%s", text)
	}
	data, err := json.Marshal(sum)
	if want := `{"age":0,"users":0,"removed":0,"keys":0}`; err != nil || string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
}
