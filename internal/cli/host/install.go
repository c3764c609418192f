package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/host/lockdown"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/hostfile"
	"github.com/postern-dev/postern/internal/host/program"
	"github.com/postern-dev/postern/internal/host/units"
)

type installOptions struct {
	config string
	print  bool
}

func newInstall(a *command.App) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Keep the metadata firewall standing through reboots and changes, by systemd",
		Long: "Writes units that apply the firewall of " + hostfile.Path + " before the network comes up and whenever nftables.service restarts, and that put it right " +
			"within a minute when users, the file or the rules have changed. Containers need no more: Docker does not touch our table.\n\n" +
			"With --print it shows them, and user data for cloud-init, and changes nothing.",
		Args: command.AtMost(),
		Example: `
postern host install --print
postern host install`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInstall(cmd.Context(), a, o) },
	}
	cmd.Flags().StringVar(&o.config, "config", hostfile.Path, "`FILE` of settings")
	cmd.Flags().BoolVar(&o.print, "print", false, "print the units and user data for cloud-init")
	return cmd
}

func runInstall(ctx context.Context, a *command.App, o installOptions) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	v := units.Values{Program: program, Config: o.config}
	list, err := units.Make(v)
	if err != nil {
		return err
	}
	if o.print {
		return printUnits(a, v, list)
	}
	if err := needSystemd("have your service manager run `" + program + " host lockdown apply` at boot"); err != nil {
		return err
	}
	// A unit that fails at the next boot would leave the host open.
	stands, err := lockdown.Standing(ctx, o.config)
	if err != nil {
		return err
	}
	if err := units.Install(ctx, units.Dir, list, runProgram); err != nil {
		return err
	}
	a.Result().Mark(ui.OK, ui.Plain("installed: "+stands))
	a.Result().Text(2, ui.StyleDim, "`postern host lockdown verify` tries it; `postern host lockdown status` exits with 3 when it is not as it should be.")
	return nil
}

func printUnits(a *command.App, v units.Values, list []units.Unit) error {
	userData, err := units.CloudInit(v)
	if err != nil {
		return err
	}
	out := a.Result()
	for _, u := range list {
		out.Line(ui.Name("# " + units.Dir + "/" + u.Name))
		out.Printf("%s\n", u.Text)
	}
	out.Line(ui.Name("# user data"))
	out.Printf("%s", userData)
	return nil
}

func newUninstall(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use: "uninstall", Short: "Remove what install has written", Args: command.AtMost(),
		Long:    "Stops and removes the units. The firewall that stands goes on standing until a reboot, or until `postern host lockdown remove`.",
		Example: "\npostern host uninstall",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needSystemd("there can be no units of ours"); err != nil {
				return err
			}
			was, err := units.Uninstall(cmd.Context(), units.Dir, runProgram)
			if err == nil {
				err = lockdown.Forget()
			}
			switch {
			case err != nil:
				return err
			case was:
				a.Result().Mark(ui.Removed, ui.Plain("uninstalled; the firewall stands until `postern host lockdown remove` or a reboot"))
			default:
				a.Result().Mark(ui.OK, ui.Plain("nothing to uninstall"))
			}
			return nil
		},
	}
}

// needSystemd fails where another program manages services.
//
// https://www.freedesktop.org/software/systemd/man/latest/sd_booted.html
func needSystemd(otherwise string) error {
	_, err := os.Stat("/run/systemd/system")
	if errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{What: "this host does not run systemd", Hint: otherwise}
	}
	return err
}

// runProgram runs a program; what it says is in the error.
func runProgram(ctx context.Context, argv ...string) error {
	cmd, err := program.Command(ctx, argv[0], argv[1:]...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return &fault.Error{What: "run " + strings.Join(argv, " "), Cause: fmt.Errorf("%w %s", err, strings.TrimSpace(string(out)))}
	}
	return nil
}
