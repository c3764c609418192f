package ssh

import (
	"io"
	"log/slog"
	"log/syslog"
	"time"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// logTime is how long a line may take to reach the system's log. A full queue
// of a log that nobody reads would otherwise hold up logins, and sync until the
// keys are stale.
const logTime = 250 * time.Millisecond

// systemLog is where sync and keys report: the system's log, or otherwise. The
// lines are JSON, so that a log collector can tell who came in by which key.
func systemLog(otherwise io.Writer) *slog.Logger {
	withoutTime := func(groups []string, attr slog.Attr) slog.Attr {
		if len(groups) == 0 && attr.Key == slog.TimeKey {
			return slog.Attr{} // the log has its own, an event says when it was
		}
		return attr
	}
	open := func() (io.Writer, error) { return syslog.New(syslog.LOG_AUTHPRIV|syslog.LOG_INFO, "postern-ssh") }
	return slog.New(slog.NewJSONHandler(newBoundedLog(open, otherwise), &slog.HandlerOptions{ReplaceAttr: withoutTime}))
}

// boundedLog writes lines to a log that may hang. A line that does not get
// there in time, and those that come while it is still on its way, go to the
// other writer.
type boundedLog struct {
	open      func() (io.Writer, error)
	otherwise io.Writer
	log       io.Writer     // nil: not opened yet; of who has the turn
	turn      chan struct{} // holds one while a line is on its way
}

func newBoundedLog(open func() (io.Writer, error), otherwise io.Writer) *boundedLog {
	return &boundedLog{open: open, otherwise: otherwise, turn: make(chan struct{}, 1)}
}

// Write writes a line, and never waits for longer than logTime.
func (b *boundedLog) Write(line []byte) (int, error) {
	select {
	case b.turn <- struct{}{}:
	default:
		return b.otherwise.Write(line)
	}
	sent := make(chan error, 1)
	go func(line string) { // a system call that hangs cannot be told to stop, but need not be waited for
		err := b.send(line)
		<-b.turn
		sent <- err
	}(string(line))
	late := time.NewTimer(logTime)
	defer late.Stop()
	select {
	case err := <-sent:
		if err == nil {
			return len(line), nil
		}
	case <-late.C:
	}
	return b.otherwise.Write(line)
}

func (b *boundedLog) send(line string) error {
	if b.log == nil {
		log, err := b.open()
		if err != nil {
			return err
		}
		b.log = log
	}
	_, err := io.WriteString(b.log, line)
	return err
}

// eventAttrs is an event as one group of a line's fields.
func eventAttrs(e sshkeys.Event) []slog.Attr {
	return append([]slog.Attr{slog.String("event", string(e.Kind))}, e.Attrs()...)
}
