package integration

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// object is a JSON object.
type object = map[string]any

// standing is what the AWS CLI reads in an account, without what AWS makes up
// (ids, dates) and without the admin role and the operator of the sandbox. Its
// JSON form is what the tests write down as expected.
type standing struct {
	Roles     map[string]role       `json:"roles"`
	Users     map[string]user       `json:"users"`
	Groups    map[string]group      `json:"groups"`
	Policies  map[string]policy     `json:"policies"`  // customer managed
	Profiles  map[string]profile    `json:"profiles"`  // instance profiles
	Providers map[string]oidcIssuer `json:"providers"` // by URL
}

type role struct {
	Path        string            `json:"path"`
	Description string            `json:"description,omitempty"`
	MaxSession  int               `json:"max_session"` // seconds
	Trust       object            `json:"trust"`
	Inline      map[string]object `json:"inline,omitempty"`
	Attached    []string          `json:"attached,omitempty"` // ARNs
	Boundary    string            `json:"boundary,omitempty"` // ARN
	Tags        map[string]string `json:"tags,omitempty"`
}

type user struct {
	Path     string            `json:"path"`
	Groups   []string          `json:"groups,omitempty"`
	Inline   map[string]object `json:"inline,omitempty"`
	Attached []string          `json:"attached,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

type group struct {
	Path     string            `json:"path"`
	Inline   map[string]object `json:"inline,omitempty"`
	Attached []string          `json:"attached,omitempty"`
}

type policy struct {
	Path     string `json:"path"`
	Document object `json:"document"`
}

type profile struct {
	Path string `json:"path"`
	Role string `json:"role,omitempty"`
}

type oidcIssuer struct {
	Audiences []string          `json:"audiences"`
	Tags      map[string]string `json:"tags,omitempty"`
}

// The CLI's answers, in its words.
type (
	tagList []struct{ Key, Value string }
	inline  []struct {
		PolicyName     string
		PolicyDocument object
	}
	attachments []struct{ PolicyArn string }
	details     struct {
		RoleDetailList []struct {
			RoleName, Path           string
			AssumeRolePolicyDocument object
			RolePolicyList           inline
			AttachedManagedPolicies  attachments
			PermissionsBoundary      struct{ PermissionsBoundaryArn string }
			Tags                     tagList
		}
		UserDetailList []struct {
			UserName, Path          string
			GroupList               []string
			UserPolicyList          inline
			AttachedManagedPolicies attachments
			Tags                    tagList
		}
		GroupDetailList []struct {
			GroupName, Path         string
			GroupPolicyList         inline
			AttachedManagedPolicies attachments
		}
		Policies []struct {
			Arn, Path, DefaultVersionId string //nolint:revive // AWS's word
			PolicyVersionList           []struct {
				Document  object
				VersionId string //nolint:revive // AWS's word
			}
		}
	}
	roleList struct {
		Roles []struct {
			RoleName, Description string
			MaxSessionDuration    int
		}
	}
	profileList struct {
		InstanceProfiles []struct {
			InstanceProfileName, Path string
			Roles                     []struct{ RoleName string }
		}
	}
	providerList struct {
		OpenIDConnectProviderList []struct{ Arn string }
	}
	providerDetail struct {
		URL          string `json:"Url"`
		ClientIDList []string
		Tags         tagList
	}
)

// read reads all of an account with the AWS CLI. Each call of it takes half a
// second of a processor, to start Python.
func (w *world) read(account string) standing {
	w.Helper()
	s := w.glance(account)
	var roles roleList
	w.ask(account, &roles, "list-roles")
	for _, r := range roles.Roles {
		if have, ok := s.Roles[r.RoleName]; ok {
			have.MaxSession, have.Description = r.MaxSessionDuration, r.Description
			s.Roles[r.RoleName] = have
		}
	}
	var profiles profileList
	w.ask(account, &profiles, "list-instance-profiles")
	for _, p := range profiles.InstanceProfiles {
		have := profile{Path: p.Path}
		for _, r := range p.Roles {
			have.Role = r.RoleName
		}
		s.Profiles[p.InstanceProfileName] = have
	}
	var providers providerList
	w.ask(account, &providers, "list-open-id-connect-providers")
	for _, p := range providers.OpenIDConnectProviderList {
		var detail providerDetail
		w.ask(account, &detail, "get-open-id-connect-provider", "--open-id-connect-provider-arn", p.Arn)
		s.Providers[detail.URL] = oidcIssuer{slices.Sorted(slices.Values(detail.ClientIDList)), detail.Tags.asMap()}
	}
	return s
}

// glance reads in one call what one call tells: users, groups, policies, and
// roles without their longest session.
func (w *world) glance(account string) standing {
	w.Helper()
	s := standing{
		Roles: map[string]role{}, Users: map[string]user{}, Groups: map[string]group{},
		Policies: map[string]policy{}, Profiles: map[string]profile{}, Providers: map[string]oidcIssuer{},
	}
	var d details
	w.ask(account, &d, "get-account-authorization-details", "--filter", "User", "Role", "Group", "LocalManagedPolicy")
	s.entities(d)
	return s
}

// ask decodes an answer of the AWS CLI about IAM.
func (w *world) ask(account string, into any, args ...string) {
	w.Helper()
	out := w.aws(account, append([]string{"iam"}, args...)...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		w.Fatalf("aws iam %v: %v\n%s", args, err, out)
	}
}

func (s *standing) entities(d details) {
	for _, r := range d.RoleDetailList {
		if r.RoleName == adminRole {
			continue
		}
		s.Roles[r.RoleName] = role{
			Path: r.Path, Trust: plural(r.AssumeRolePolicyDocument), Inline: r.RolePolicyList.asMap(),
			Attached: r.AttachedManagedPolicies.arns(), Boundary: r.PermissionsBoundary.PermissionsBoundaryArn, Tags: r.Tags.asMap(),
		}
	}
	for _, u := range d.UserDetailList {
		s.Users[u.UserName] = user{u.Path, u.GroupList, u.UserPolicyList.asMap(), u.AttachedManagedPolicies.arns(), u.Tags.asMap()}
	}
	for _, g := range d.GroupDetailList {
		s.Groups[g.GroupName] = group{g.Path, g.GroupPolicyList.asMap(), g.AttachedManagedPolicies.arns()}
	}
	for _, p := range d.Policies {
		for _, v := range p.PolicyVersionList {
			if v.VersionId == p.DefaultVersionId {
				name := p.Arn[strings.LastIndex(p.Arn, "/")+1:] // moto leaves PolicyName out
				s.Policies[name] = policy{p.Path, plural(v.Document)}
			}
		}
	}
}

func (l tagList) asMap() map[string]string {
	m := map[string]string{}
	for _, tag := range l {
		m[tag.Key] = tag.Value
	}
	return m
}

func (l inline) asMap() map[string]object {
	m := map[string]object{}
	for _, p := range l {
		m[p.PolicyName] = plural(p.PolicyDocument)
	}
	return m
}

func (l attachments) arns() []string {
	var arns []string
	for _, a := range l {
		arns = append(arns, a.PolicyArn)
	}
	slices.Sort(arns)
	return arns
}

// plural makes a list of every string in a policy that may be one or a list of
// one: to AWS they are the same. The order of lists has no meaning either, and
// neither have statement ids.
func plural(document object) object {
	out := object{}
	for key, value := range document {
		if key != "Sid" {
			out[key] = pluralValue(key, value)
		}
	}
	return out
}

func pluralValue(key string, value any) any {
	switch v := value.(type) {
	case object:
		return plural(v)
	case string:
		if key != "Version" && key != "Effect" {
			return []any{v}
		}
	case []any:
		var out []any
		for _, member := range v {
			if statement, ok := member.(object); ok {
				member = plural(statement)
			}
			out = append(out, member)
		}
		slices.SortStableFunc(out, func(a, b any) int {
			x, xs := a.(string)
			y, ys := b.(string)
			if !xs || !ys { // statements stay in order
				return 0
			}
			return strings.Compare(x, y)
		})
		return out
	}
	return value
}

// stands wants an account to hold exactly what the JSON text says. A kind of
// things that the text leaves out is empty.
func (w *world) stands(account, text string) {
	w.Helper()
	want := standing{}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&want); err != nil {
		w.Fatal(err)
	}
	want.normalise()
	if diff := cmp.Diff(want, w.read(account), cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("account %s (-want +got):\n%s", account, diff)
	}
}

// normalise writes the documents of what a test wrote down as read does.
func (s *standing) normalise() {
	for name, r := range s.Roles {
		r.Trust, r.Inline = plural(r.Trust), pluralAll(r.Inline)
		s.Roles[name] = r
	}
	for name, g := range s.Groups {
		g.Inline = pluralAll(g.Inline)
		s.Groups[name] = g
	}
	for name, u := range s.Users {
		u.Inline = pluralAll(u.Inline)
		s.Users[name] = u
	}
	for name, p := range s.Policies {
		p.Document = plural(p.Document)
		s.Policies[name] = p
	}
}

func pluralAll(documents map[string]object) map[string]object {
	out := map[string]object{}
	for name, d := range documents {
		out[name] = plural(d)
	}
	return out
}
