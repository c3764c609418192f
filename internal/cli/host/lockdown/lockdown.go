// Package lockdown holds the commands of the metadata firewall. What they do to
// the kernel is in internal/host/lockdown; flags, files and words are here.
package lockdown

import (
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

// runDir holds what must not survive a reboot, as the firewall itself does not.
const runDir = "/run/postern"

// last outlives a reboot.
const last = lockdown.Last("/var/lib/postern/lockdown.json")

// New makes the command host lockdown.
func New(a *command.App) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "lockdown COMMAND | ADDRESS USER...",
		Short: "Let only chosen OS users reach the instance role's credentials",
		Long: "One nftables table of its own refuses everybody but the users you name at the instance metadata service, over IPv4 and IPv6, " +
			"and what containers send there too. Nothing else is touched, and no nft program is needed. With an address and users it is short for apply.\n\n" +
			"It does not bind users who are root or can become root, sockets that an allowed user has opened and handed on, and tools such as sudo. " +
			"Pair it with IMDSv2 required.",
		Example: `
postern host lockdown observe --allow root,cwagent --for 10m
postern host lockdown apply --allow root,cwagent --allow-group ops --confirm-within 60s
postern host lockdown 169.254.169.254 root app
postern host lockdown status`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			if _, err := netip.ParseAddr(args[0]); err != nil {
				return command.UnknownCommand(cmd, args)
			}
			o.endpoints, o.allow = args[:1], args[1:]
			return runApply(cmd.Context(), a, o)
		},
	}
	below := command.List{
		{"observe", newObserve},
		{"apply", newApply},
		{"status", newStatus},
		{"verify", newVerify},
		{"confirm", newConfirm},
		{"remove", newRemove},
		{"log", newLog},
		{"print", newPrint},
		{"ask", newAsk},
		{"await", newAwait},
	}
	below.AddTo(cmd, a)
	return cmd
}

func newAwait(*command.App) *cobra.Command {
	return &cobra.Command{
		Use: "await ID TIME", Short: "Roll back an unconfirmed change", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			within, err := time.ParseDuration(args[1])
			if err != nil {
				return command.UsageError(cmd, err.Error(), "")
			}
			host, err := lockdown.Open(runDir)
			if err != nil {
				return err
			}
			defer host.Close()
			return host.Await(cmd.Context(), args[0], within)
		},
	}
}

func newAsk(a *command.App) *cobra.Command {
	var withoutToken bool
	cmd := &cobra.Command{
		Use: "ask ADDRESS", Short: "Make one request to an endpoint", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := netip.ParseAddr(args[0])
			if err != nil {
				return command.UsageError(cmd, err.Error(), "")
			}
			if withoutToken {
				return a.Result().JSON(lockdown.AskWithoutToken(cmd.Context(), addr))
			}
			return a.Result().JSON(lockdown.Ask(cmd.Context(), addr))
		},
	}
	cmd.Flags().BoolVar(&withoutToken, "without-token", false, "as IMDSv1 did")
	return cmd
}

func newConfirm(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use: "confirm", Short: "Make the change that waits stand for good", Args: command.AtMost(),
		Example: "\npostern host lockdown apply --confirm-within 60s\npostern host lockdown confirm",
		RunE: func(cmd *cobra.Command, _ []string) error {
			host, err := lockdown.Open(runDir)
			if err != nil {
				return err
			}
			defer host.Close()
			if err := host.Confirm(cmd.Context()); err != nil {
				return err
			}
			a.Result().Mark(ui.OK, ui.Plain("confirmed: the firewall stands"))
			return nil
		},
	}
}

func newRemove(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use: "remove", Short: "Remove the firewall: everybody reaches the credentials again", Args: command.AtMost(),
		Example: "\npostern host lockdown remove",
		RunE: func(cmd *cobra.Command, _ []string) error {
			host, err := lockdown.Open(runDir)
			if err != nil {
				return err
			}
			defer host.Close()
			state, err := host.Read()
			if err != nil {
				return err
			}
			if err := host.Make(cmd.Context(), lockdown.Change{}); err != nil {
				return err
			}
			if state == nil {
				a.Result().Mark(ui.OK, ui.Plain("nothing to remove"))
				return nil
			}
			warnInstalled(a)
			a.Result().Mark(ui.Removed, ui.Plain("removed: every user of this host reaches "+addressText(state.Policy.Endpoints)))
			return nil
		},
	}
}

func newPrint(a *command.App) *cobra.Command {
	o := policyOptions{onlyShow: true}
	cmd := &cobra.Command{
		Use: "print", Short: "Print the firewall in nft's syntax, for review",
		Long:    "Prints what apply would put into the kernel. `nft -f` of it makes the same table, and `nft -c -f` checks it. Changes nothing.",
		Args:    command.AtMost(),
		Example: "\npostern host lockdown print --allow root,cwagent\npostern host lockdown print --allow root >/etc/nftables.d/postern.nft",
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := o.wish(cmd.Context(), cmd.Flags().Changed)
			if err != nil {
				return err
			}
			out := a.Result()
			names := userNames(cmd.Context(), w.policy.Allow...)
			out.Printf("# %s\n", standingText(w.policy, names))
			out.Printf("%s", lockdown.Print(w.policy))
			return nil
		},
	}
	o.flags(cmd)
	return cmd
}
