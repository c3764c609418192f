package lockdown

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

// optionsReport is what is known of the instance's metadata options. The
// firewall does not depend on them: they are a second line, for requests that an
// allowed program is tricked into.
type optionsReport struct {
	Seen     seenOptions          `json:"seen"`
	EC2      *aws.MetadataOptions `json:"ec2"`         // what EC2 says; null: it did not
	Unasked  string               `json:"ec2_why_not"` // why not
	Instance string               `json:"instance"`    // its id, empty if not known
	Region   string               `json:"region"`      // empty if not known
	Good     []string             `json:"good"`        // what is as it should be
	Warnings []string             `json:"warnings"`    // what is not, and what contradicts EC2
	Fix      string               `json:"fix_command"` // changes what is wrong; empty: nothing is
}

// seenOptions are what requests have shown; null: they showed nothing.
type seenOptions struct {
	V1       *bool `json:"imdsv1"`    // a request without a token is answered
	HopLimit *int  `json:"hop_limit"` // of the answer with the token
	IPv6     *bool `json:"ipv6"`      // the service answers there
}

// imds4 is where the metadata service is asked for its options.
var imds4 = netip.MustParseAddr("169.254.169.254")

// askEC2 bounds the time for EC2's answer: the requests stand without it.
const askEC2 = 5 * time.Second

// lookAtOptions makes the requests and asks EC2; nil: that address is not
// guarded, or nobody may ask there.
func lookAtOptions(ctx context.Context, p lockdown.Policy, checks []lockdown.Check) *optionsReport {
	if len(p.Allow) == 0 || !slices.Contains(p.Endpoints, imds4) {
		return nil
	}
	r := &optionsReport{Seen: see(ctx, lockdown.Probe{UID: p.Allow[0], Addr: imds4}, checks), Good: []string{}, Warnings: []string{}}
	if err := r.ask(ctx, p); err != nil {
		r.Unasked = unaskedText(err)
	}
	r.judge(len(p.ForwardFrom) > 0)
	return r
}

func see(ctx context.Context, probe lockdown.Probe, checks []lockdown.Check) seenOptions {
	var s seenOptions
	r, err := lockdown.AskAs("host", "lockdown", "ask", "--without-token")(ctx, probe)
	if err == nil && r.Outcome == lockdown.Answered {
		on := r.Status != http.StatusUnauthorized
		s.V1 = &on
	}
	limit, err := lockdown.HopLimit(ctx, imds4, func(ctx context.Context) error {
		_, err := lockdown.AskAs("host", "lockdown", "ask")(ctx, probe)
		return err
	})
	if err == nil && limit != 0 {
		s.HopLimit = &limit
	}
	for _, c := range checks {
		if c.Allowed && c.Probe.Addr.Is6() && c.Result.Outcome == lockdown.Answered {
			on := true
			s.IPv6 = &on
		}
	}
	return s
}

// ask finds out which instance this is, and what EC2 says of it. What it asks of
// the metadata service, it asks as ourselves.
func (r *optionsReport) ask(ctx context.Context, p lockdown.Policy) error {
	if uid := os.Getuid(); !slices.Contains(p.Allow, uint32(uid)) {
		return fmt.Errorf("uid %d is not allowed to read which instance this is", uid)
	}
	ctx, cancel := context.WithTimeout(ctx, askEC2)
	defer cancel()
	instance, err := aws.ThisInstance(ctx, "")
	if err != nil {
		return err
	}
	r.Instance, r.Region = instance.ID, instance.Region
	options, err := instance.MetadataOptions(ctx, aws.Options{})
	if err != nil {
		return err
	}
	r.EC2 = &options
	return nil
}

// unaskedText says in one line why EC2 did not tell.
func unaskedText(err error) string {
	if d, ok := errors.AsType[*aws.Denied](err); ok {
		return d.Error() + "; to have it asked, " + hintOf(err)
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}

func hintOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Hint
	}
	return ""
}

// judge compares what was seen with what EC2 says and with what it should be.
// What EC2 says counts, where it says anything.
func (r *optionsReport) judge(containers bool) {
	var flags []string
	warn := func(flag, format string, args ...any) {
		r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
		if flag != "" {
			flags = append(flags, flag)
		}
	}
	v1, limit := r.Seen.V1, r.Seen.HopLimit
	if o := r.EC2; o != nil {
		says := o.Tokens != "required"
		r.contradictions(warn)
		v1, limit = &says, &o.HopLimit
	}
	switch {
	case v1 == nil:
	case *v1:
		warn("--http-tokens required", "IMDSv1 is on: a server that can be made to fetch a URL gives the credentials away")
	default:
		r.Good = append(r.Good, "IMDSv2 is required")
	}
	switch {
	case limit == nil:
	case *limit > 1 && !containers:
		warn("--http-put-response-hop-limit 1", "tokens go %d hops, and no container may have one", *limit)
	case *limit == 1 && containers:
		warn("--http-put-response-hop-limit 2", "tokens go one hop: they do not reach the containers that are let through")
	case *limit == 1:
		r.Good = append(r.Good, "tokens go one hop: not into bridged containers")
	}
	if len(flags) > 0 {
		r.Fix = r.command(flags)
	}
}

func (r *optionsReport) contradictions(warn func(flag, format string, args ...any)) {
	o, s := r.EC2, r.Seen
	const why = "EC2 has yet to apply it, or something else answers at that address"
	if o.State == "pending" {
		warn("", "EC2 is still applying a change of the metadata options")
	}
	if s.V1 != nil && *s.V1 != (o.Tokens != "required") {
		was := map[bool]string{true: "answered", false: "refused"}[*s.V1]
		warn("", "EC2 says that IMDSv2 is %s, but a request without a token was %s: %s", o.Tokens, was, why)
	}
	if s.HopLimit != nil && *s.HopLimit != o.HopLimit {
		warn("", "EC2 says that tokens go %d hops, but one came with %d: %s", o.HopLimit, *s.HopLimit, why)
	}
	if s.IPv6 != nil && *s.IPv6 && o.IPv6 == "disabled" {
		warn("", "EC2 says that the IPv6 endpoint is disabled, but it answers: %s", why)
	}
}

// command changes the options; what is not known of the instance stands as a word.
//
// https://docs.aws.amazon.com/cli/latest/reference/ec2/modify-instance-metadata-options.html
func (r *optionsReport) command(flags []string) string {
	where := "--instance-id ID"
	if r.Instance != "" {
		where = "--region " + r.Region + " --instance-id " + r.Instance
	}
	return "aws ec2 modify-instance-metadata-options " + where + " " + strings.Join(flags, " ")
}

// told is a word of EC2's, which may know fewer options than we.
func told(word string) string { return cmp.Or(word, "not told") }

func (r *optionsReport) text(out *ui.Printer) {
	if o := r.EC2; o != nil {
		out.Mark(ui.Point, ui.Plain(fmt.Sprintf("EC2 says of %s: tokens %s, hop limit %d, IPv6 endpoint %s, tags %s", r.Instance, told(o.Tokens), o.HopLimit, told(o.IPv6), told(o.Tags))))
	} else {
		out.Mark(ui.Point, ui.Plain("EC2 does not tell the metadata options, so this is what requests show: "+r.Unasked))
	}
	for _, g := range r.Good {
		out.Mark(ui.OK, ui.Plain(g))
	}
	for _, w := range r.Warnings {
		out.Mark(ui.Warning, ui.Plain(w))
	}
	if r.EC2 == nil && r.Seen.V1 == nil {
		out.Mark(ui.Point, ui.Plain("whether IMDSv2 is required could not be seen"))
	}
	if r.EC2 == nil && r.Seen.HopLimit == nil {
		out.Mark(ui.Point, ui.Plain("the hop limit of tokens could not be seen"))
	}
	if r.Fix != "" {
		out.Mark(ui.Point, ui.Plain("to change that, run `"+r.Fix+"`"))
	}
}
