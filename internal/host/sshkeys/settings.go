package sshkeys

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/suggest"
)

// MinInterval keeps a fleet from wearing out IAM's rate.
const MinInterval = time.Minute

// MinStale is the shortest time for which keys are good without IAM.
const MinStale = time.Hour

// What AWS takes for the names that settings hold. They are checked before
// anything is asked: IAM would refuse them at each sync, hours later and on
// every host.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
var (
	groupForm      = lazily(`^[\w+=,.@-]{1,128}$`)
	roleForm       = lazily(`^role/([!-.0-~]+/)*[\w+=,.@-]{1,64}$`)
	partitionForm  = lazily(`^aws(-[a-z]+)*$`)
	externalIDForm = lazily(`^[\w+=,.@:/-]{2,}$`)
	tagKeyForm     = lazily(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$`)
)

// lineForm is of what stands in a line of sshd's answer and in the comment of an
// account: a blank or a line break there would be another key. Which letters
// names of users may have is no business of ours.
var lineForm = lazily(`^[^\s\pZ\pC]+$`)

func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

func refuse(hint, format string, args ...any) error {
	return &fault.Error{Code: fault.Usage, What: fmt.Sprintf(format, args...), Hint: hint}
}

// CheckGroup refuses what cannot be the name of an IAM group.
func CheckGroup(name string) error {
	if groupForm().MatchString(name) {
		return nil
	}
	hint := "a name has 1 to 128 letters of ASCII, digits and _+=,.@-"
	switch last := name[strings.LastIndexByte(name, '/')+1:]; {
	case name == "":
		return refuse("is a variable of your script unset?", "the name of an IAM group is empty")
	case last != name && groupForm().MatchString(last):
		hint = fmt.Sprintf("did you mean %q? a group is named without its path", last)
	case strings.Contains(name, ","):
		hint += "; name each group by itself"
	}
	return refuse(hint, "%.150q is no name of an IAM group", name)
}

// CheckRoleARN refuses what cannot be the ARN of an IAM role.
func CheckRoleARN(text string) error {
	const form = "write it as arn:aws:iam::111122223333:role/NAME"
	arn, err := iam.ParseARN(text)
	switch {
	case err != nil && roleForm().MatchString("role/"+text):
		return refuse(fmt.Sprintf("did you mean arn:aws:iam::ACCOUNT:role/%s?", text), "%.200q is the name of a role, not its ARN", text)
	case err != nil:
		return refuse(form, "%.200q is no ARN", text)
	case arn.Service == "sts" && strings.HasPrefix(arn.Resource, "assumed-role/"):
		role, _, _ := strings.Cut(strings.TrimPrefix(arn.Resource, "assumed-role/"), "/")
		return refuse(fmt.Sprintf("did you mean arn:%s:iam::%s:role/%s?", arn.Partition, arn.Account, role), "%.200q is a session of a role", text)
	case arn.Service != "iam" || arn.Region != "" || !iam.IsAccountID(arn.Account) || !partitionForm().MatchString(arn.Partition) || !roleForm().MatchString(arn.Resource):
		return refuse(form, "%.200q is no ARN of an IAM role", text)
	}
	return nil
}

// CheckExternalID refuses what sts:AssumeRole would.
func CheckExternalID(id string) error {
	if len(id) <= 1224 && externalIDForm().MatchString(id) {
		return nil
	}
	return refuse("use 2 to 1224 letters of ASCII, digits and _+=,.@:/-", "%.80q cannot be an external id", id)
}

// CheckTagKey refuses what cannot be the key of a tag that somebody has put on
// an IAM user.
func CheckTagKey(key string) error {
	switch {
	case len(key) >= 4 && strings.EqualFold(key[:4], "aws:"):
		return refuse("", "%q: nobody can set tags whose keys begin with aws:", key)
	case !tagKeyForm().MatchString(key):
		return refuse("use 1 to 128 letters, digits, blanks and _.:/=+-@", "%.150q cannot be the key of a tag", key)
	}
	return nil
}

// CheckDomain refuses what no IAM user name can end in, behind an @.
func CheckDomain(name string) error {
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		return refuse(fmt.Sprintf("did you mean %q? the @ is cut off with it", rest), "%.80q is no mail domain", name)
	}
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "" {
		return refuse("write it as example.com", "%.80q is no mail domain", name)
	}
	return nil
}

// CheckAllow refuses what sessions cannot be allowed.
func CheckAllow(option string) error {
	if slices.Contains(AllowNames, option) {
		return nil
	}
	hint := "one of " + strings.Join(AllowNames, ", ")
	if near := suggest.Nearest(option, AllowNames); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return refuse(hint, "unknown session option %.80q", option)
}

// CheckFrom refuses what sshd would not take for an address, or a block of them.
func CheckFrom(address string) error {
	if isAddress(address) {
		return nil
	}
	return refuse("write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32", "%q is neither an address nor a CIDR block", address)
}

// CheckInterval bounds the time between two syncs.
func CheckInterval(d time.Duration) error {
	if d >= MinInterval {
		return nil
	}
	return refuse("IAM's rate is shared by the whole account", "an interval of %v is shorter than %v", d, MinInterval)
}

// CheckMaxStale bounds the time for which keys are good without IAM.
func CheckMaxStale(d time.Duration) error {
	if d >= MinStale {
		return nil
	}
	return refuse("a short outage of IAM would lock everybody out", "a max-stale of %v is shorter than %v", d, MinStale)
}

// CheckTimes holds that keys outlive a sync that fails: the next one comes up to
// one and a half intervals later. Of a time that is wrong by itself, it says
// nothing.
func CheckTimes(interval, maxStale time.Duration) error {
	if maxStale/3 >= interval || maxStale < MinStale {
		return nil
	}
	return refuse("make max-stale three times the interval or more", "keys that are good for %v would end between syncs %v apart", maxStale, interval)
}
