package sshkeys

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// maxName is the most bytes that useradd takes and utmp holds.
const maxName = 32

// reserved are names that distributions, packages and clouds give to accounts
// and groups, so that no IAM user is in place before the account is. Those
// that exist on the host are refused anyway.
var reserved = strings.Fields(`
	root toor daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody nogroup
	adm admin administrator operator halt shutdown ftp wheel sudo sudoers staff users shadow utmp tty disk kmem
	dialout fax voice cdrom floppy tape audio video plugdev netdev input render kvm crontab ssh sshd docker lxd
	systemd-network systemd-resolve systemd-timesync systemd-coredump messagebus dbus polkitd chrony ntp rpc
	postgres mysql redis nginx apache httpd git jenkins gitlab-runner consul vault nomad
	ec2-user ec2-instance-connect ubuntu debian centos fedora rocky almalinux core bitnami ssm-user cwagent
	postern postern-ssh all default`)

// Names says how IAM user names become names of OS accounts.
type Names struct {
	// Domains are cut off: with example.com, alice@example.com logs in as alice.
	Domains []string
}

// OSName maps the name of an IAM user. Letters become small ones, each of
// . + = , @ an underscore. Several IAM users may come to one name: that nobody
// but the first gets it is assign's business. What would need more than that is
// refused, never bent.
func (n Names) OSName(iamUser string) (string, error) {
	name := strings.Map(small, iamUser)
	for _, domain := range n.Domains {
		name = strings.TrimSuffix(name, "@"+strings.Map(small, domain))
	}
	name = strings.Map(plain, name)
	if why := wrongName(name); why != "" {
		return "", &fault.Error{
			Where: fmt.Sprintf("IAM user %q", iamUser), What: fmt.Sprintf("no account %q: %s", name, why),
			Hint: "rename the IAM user with aws iam update-user --new-user-name, or cut a mail domain off with --domain",
		}
	}
	return name, nil
}

// small is of ASCII only: strings.ToLower makes a k of the Kelvin sign.
func small(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func plain(r rune) rune {
	if strings.ContainsRune(".+=,@", r) {
		return '_'
	}
	return r
}

// wrongName says why no account can have the name; empty if one can.
func wrongName(name string) string {
	switch {
	case name == "":
		return "the name is empty"
	case strings.Trim(name, "0123456789") == "":
		return "useradd, chown and others take a name of digits alone for a uid"
	case name[0] < 'a' || name[0] > 'z':
		return "a name begins with a letter"
	case strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		return "a name has letters of ASCII, digits, _ and - only"
	case len(name) > maxName:
		return fmt.Sprintf("a name has at most %d characters, this one has %d", maxName, len(name))
	case slices.Contains(reserved, name) || strings.HasPrefix(name, "systemd-"):
		return "the name is reserved"
	}
	return ""
}
