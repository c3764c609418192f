package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/internal/spec"
)

type sandboxOptions struct {
	listen   string // "HOST:PORT" or a port; the loopback interface only
	accounts []string
	forSpec  string
	envFile  string
	log      bool
	options  sandbox.Options // DataFile, PropagationDelay, Throttle
}

// The accounts of a sandbox that is told of none are those of the examples.
const (
	exampleHome  = "111111111111"
	exampleOther = "222222222222"
	exampleAdmin = "postern-admin"
)

// shutdown is how long running calls may take once the sandbox is to end.
const shutdown = 3 * time.Second

// NewSandbox makes the command sandbox.
func NewSandbox(a *command.App) *cobra.Command {
	var o sandboxOptions
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run an AWS endpoint on this machine that enforces IAM",
		Long: "Serves IAM and STS over the real protocol, checks every signature and judges every call by the policies it holds. " +
			"It prints the environment that points Postern, the AWS CLI and every SDK at it, and runs until ctrl-C. " +
			"The credentials may assume the admin role of every account; an account comes into being when a role in it is first assumed, " +
			"unless --account or --for say which ones there are. A spec with an account that has no admin role needs --for, " +
			"unless that is the home account: the credentials are of one account only. It never calls AWS.",
		Args: command.AtMost(),
		Example: `
# in one terminal
postern sandbox --env-file sandbox.env
# in another
. ./sandbox.env
postern apply examples/shop`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSandbox(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` loopback address or port to serve; port 0 is a free one")
	f.StringVar(&o.options.DataFile, "data", "", "`FILE` keep the state in this file; without, it is lost")
	f.StringVar(&o.envFile, "env-file", "", "`FILE` write the environment to this file; removed in the end")
	f.StringArrayVar(&o.accounts, "account", nil, "`ID[=ROLE]` an account and its admin role; the first is home")
	f.StringVar(&o.forSpec, "for", "", "`SPEC` have the accounts of this spec")
	f.DurationVar(&o.options.PropagationDelay, "propagation-delay", 0, "`TIME` how long changes stay unseen, as on AWS: 5s")
	f.Float64Var(&o.options.Throttle, "throttle", 0, "`N` calls per second that an account may make")
	f.BoolVar(&o.log, "log", false, "print every call on stderr")
	return cmd
}

func runSandbox(ctx context.Context, a *command.App, o sandboxOptions) error {
	if err := o.furnish(); err != nil {
		return err
	}
	o.options.ReadDelay = o.options.PropagationDelay // on AWS, too, neither policies nor lists know at once
	o.options.RequestHook = o.watch(a.Talk())
	server, err := sandbox.New(o.options)
	if err != nil {
		return err
	}
	return errors.Join(serveSandbox(ctx, a, o, server), closeSandbox(ctx, server))
}

// serveSandbox prints the environment and waits until the user has had enough.
func serveSandbox(ctx context.Context, a *command.App, o sandboxOptions, server *sandbox.Server) error {
	if err := server.Listen(address(o.listen)); err != nil {
		return &fault.Error{What: err.Error(), Hint: "choose another --listen ADDRESS, or leave it out for a free port"}
	}
	exports := exportLines(server.Env())
	if o.envFile != "" {
		if err := writeSecretFile(o.envFile, exports); err != nil {
			return err
		}
		defer func() { _ = os.Remove(o.envFile) }() // of no use without the sandbox; may be gone already
	}
	a.Result().Printf("%s", exports)
	sandboxText(a.Talk(), o, server.URL())
	<-ctx.Done()
	return nil // ending it is how it is used
}

// closeSandbox lets the running calls end. The command's own context has ended.
func closeSandbox(ctx context.Context, server *sandbox.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
	defer cancel()
	return server.Close(ctx)
}

// sandboxText says what runs and how to use it.
func sandboxText(talk *ui.Printer, o sandboxOptions, url string) {
	talk.Blank()
	talk.Line(ui.Good("●"), ui.Plain(" sandbox running at "), ui.Bold(url))
	t := ui.Table{Indent: 2}
	for i, account := range o.options.Accounts {
		var notes []string
		if i == 0 {
			notes = append(notes, "home of the credentials")
		}
		if account.AdminRole != "" {
			notes = append(notes, "they may assume "+account.AdminRole)
		}
		t.Rows = append(t.Rows, []ui.Span{ui.Name(account.ID), ui.Dim(strings.Join(notes, "; "))})
	}
	if o.options.AnyAccount {
		t.Rows = append(t.Rows, []ui.Span{ui.Plain("any other"), ui.Dim("comes into being when they first assume a role in it")})
	}
	talk.Table(t)
	state := "in memory only; --data FILE keeps it"
	if o.options.DataFile != "" {
		state = "kept in " + o.options.DataFile
	}
	use := "paste the lines above into another terminal"
	if o.envFile != "" {
		use = "in another terminal: . " + shellPath(o.envFile)
	}
	talk.Table(ui.Table{Indent: 2, Rows: [][]ui.Span{
		{ui.Dim("state"), ui.Plain(state)},
		{ui.Dim("use"), ui.Plain(use)},
		{ui.Dim("end"), ui.Plain("ctrl-C")},
	}})
}

// watch is told of every answered call. It prints it if asked to, and once what
// to do when the credentials are refused a role.
func (o *sandboxOptions) watch(talk *ui.Printer) func(sandbox.Event) {
	var once sync.Once
	return func(e sandbox.Event) {
		if o.log {
			logCall(talk, e)
		}
		if e.Action == "sts:AssumeRole" && e.Code == "AccessDenied" && strings.Contains(e.Principal, ":user/") {
			once.Do(func() {
				talk.Mark(ui.Warning, ui.Plain("AssumeRole denied: that account has no such role; start with --for SPEC, or --account ID=ROLE"))
			})
		}
	}
}

// logCall prints one line for an answered call.
func logCall(talk *ui.Printer, e sandbox.Event) {
	mark, outcome := ui.OK, ui.Plain("")
	if e.Code != "" {
		mark, outcome = ui.Failed, ui.Bad(" "+e.Code)
	}
	talk.Mark(mark, ui.Plain(cmp.Or(e.Action, "unknown call")), outcome, ui.Dim(" "+e.Principal))
}

// furnish decides which accounts there are.
func (o *sandboxOptions) furnish() error {
	switch {
	case o.forSpec != "" && len(o.accounts) > 0:
		return &fault.Error{Code: fault.Usage, What: "--for and --account exclude each other", Hint: "a spec has its own accounts"}
	case o.forSpec != "":
		s, err := spec.Load(o.forSpec)
		if err != nil {
			return err
		}
		o.options.Accounts, o.options.Region = sandboxAccounts(s), s.Region
	case len(o.accounts) > 0:
		for _, text := range o.accounts {
			id, role, _ := strings.Cut(text, "=")
			if !iam.IsAccountID(id) {
				return &fault.Error{Code: fault.Usage, Where: "--account " + text, What: "the id has not 12 digits", Hint: "write --account 222222222222=postern-admin"}
			}
			o.options.Accounts = append(o.options.Accounts, sandbox.AccountConfig{ID: id, AdminRole: role})
		}
	default:
		o.options.Accounts = []sandbox.AccountConfig{{ID: exampleHome}, {ID: exampleOther, AdminRole: exampleAdmin}}
		o.options.AnyAccount = true
	}
	return nil
}

// sandboxAccounts are the accounts of a spec. The first, whose credentials the
// sandbox prints, is one that the spec reaches without an admin role.
func sandboxAccounts(s *spec.Spec) []sandbox.AccountConfig {
	var home, others []sandbox.AccountConfig
	for _, account := range s.Accounts {
		config := sandbox.AccountConfig{ID: account.ID, Partition: s.Partition, AdminRole: account.AdminRole}
		if account.AdminRole == "" {
			home = append(home, config)
		} else {
			others = append(others, config)
		}
	}
	return append(home, others...)
}

// address completes a bare port to one of the loopback interface.
func address(listen string) string {
	if !strings.Contains(listen, ":") {
		return "127.0.0.1:" + listen
	}
	return listen
}

// exportLines turns NAME=value into what a POSIX shell can evaluate. An empty
// value stays: it must hide one of the user's own environment.
func exportLines(env []string) string {
	var b strings.Builder
	for _, line := range env {
		name, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, shellQuote(value))
	}
	return b.String()
}

// shellQuote makes one word of s for a POSIX shell.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// shellPath is path as the shell's "." command finds it: with a slash.
func shellPath(path string) string {
	if !strings.Contains(path, "/") {
		path = "./" + path
	}
	return shellQuote(path)
}

// writeSecretFile writes a file that only its owner may read. Nobody ever sees
// half of it.
func writeSecretFile(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write environment: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write environment: %w", err), os.Remove(f.Name()))
		}
	}()
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
