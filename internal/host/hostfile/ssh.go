package hostfile

import (
	"errors"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// SSH says who may log in, and how, as the flags of `postern host ssh sync` and
// `install` do.
type SSH struct {
	Groups, SudoGroups  []string // names of IAM groups
	InstanceTags        bool     // name groups too
	RoleARN, ExternalID string
	Domains             []string      // to cut off names
	LocalGroups         []string      // of the host
	TagKey              string        // of IAM users' tags with ed25519 keys
	Allow, From         []string      // what sessions may do, and where from
	MaxStale            time.Duration // 0: not said
	Interval            time.Duration // 0: not said

	// For install alone.
	BreakGlass    []string // accounts whose own keys go on working
	NoBreakGlass  bool
	KeepPasswords bool
}

func sshKeys(s *SSH) map[string]value {
	return map[string]value{
		"groups":         list(&s.Groups, sshkeys.CheckGroup),
		"sudo_groups":    list(&s.SudoGroups, sshkeys.CheckGroup),
		"instance_tags":  boolean(&s.InstanceTags),
		"role_arn":       text(&s.RoleARN, sshkeys.CheckRoleARN),
		"external_id":    text(&s.ExternalID, sshkeys.CheckExternalID),
		"domains":        list(&s.Domains, sshkeys.CheckDomain),
		"local_groups":   list(&s.LocalGroups),
		"ed25519_tag":    text(&s.TagKey, sshkeys.CheckTagKey),
		"allow":          list(&s.Allow, sshkeys.CheckAllow),
		"from":           list(&s.From, sshkeys.CheckFrom),
		"max_stale":      duration(&s.MaxStale, sshkeys.CheckMaxStale),
		"interval":       duration(&s.Interval, sshkeys.CheckInterval),
		"break_glass":    list(&s.BreakGlass),
		"no_break_glass": boolean(&s.NoBreakGlass),
		"keep_passwords": boolean(&s.KeepPasswords),
	}
}

// refuse says at its place what is wrong with a value; nil is nothing.
func (r *reader) refuse(n *yaml.Node, err error) {
	if err == nil {
		return
	}
	hint := ""
	if e, ok := errors.AsType[*fault.Error](err); ok {
		hint = e.Hint
	}
	r.fail(n, err.Error(), hint)
}

func text(to *string, check func(string) error) value {
	return func(r *reader, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
			r.fail(n, "this should be a text", "")
			return
		}
		*to = n.Value
		r.refuse(n, check(n.Value))
	}
}

func duration(to *time.Duration, check func(time.Duration) error) value {
	return func(r *reader, n *yaml.Node) {
		d, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil {
			r.fail(n, "this should be a time", "write it as 10m or 24h")
			return
		}
		*to = d
		r.refuse(n, check(d))
	}
}
