package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
)

// specForm is a whole file. Its schema requires no key, since a folder of files
// is one spec; Parse says what is missing in the end.
func specForm(proofs proofForms) form[rawSpec] {
	return object(
		key("stack", placed(matching(text(), stackPattern, "a stack name", `begin with a lower-case letter; go on with these, digits and "-", 32 characters at most`)),
			func(s *rawSpec) *item[string] { return &s.Stack }, "what all that this spec creates is called by: part of every name in AWS"),
		key("region", placed(matching(text(), regionPattern, "a region", "write it as AWS does, such as eu-west-1")),
			func(s *rawSpec) *item[string] { return &s.Region }, "where the stack's resources live, such as eu-west-1"),
		key("accounts", filled(byName(accountForm())), func(s *rawSpec) *[]pair[rawAccount] { return &s.Accounts }, "the AWS accounts, by a name of your choice"),
		key("identities", byName(identityForm(proofs)), func(s *rawSpec) *[]pair[rawIdentity] { return &s.Identities }, "the machines that ask for access, by a name of your choice"),
		key("roles", byName(roleForm(proofs)), func(s *rawSpec) *[]pair[rawRole] { return &s.Roles }, "what identities may become, by a name of your choice"),
		key("never", listOf(neverForm()), func(s *rawSpec) *[]rawNever { return &s.Never }, "guard rails: what must never be possible"),
		key("expect", listOf(expectForm()), func(s *rawSpec) *[]rawExpect { return &s.Expect }, "guard rails: what must be possible, or must not"),
	)
}

var (
	stackPattern  = lazily(`^[a-z][a-z0-9-]{0,31}$`)
	regionPattern = lazily(`^[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}$`)
)

func accountForm() form[rawAccount] {
	id := checked(digits(), nil, func(s string) (string, string) {
		if iam.IsAccountID(s) {
			return "", ""
		}
		return fmt.Sprintf("%q is not an account id", s), "write its 12 digits, quoted"
	})
	return object(
		key("id", placed(id), func(s *rawAccount) *item[string] { return &s.ID }, `12 digits, quoted: "123456789012"`).must(),
		key("admin_role", placed(text()), func(s *rawAccount) *item[string] { return &s.AdminRole },
			"the role, by name or ARN, that is assumed to manage the account; default: the caller's own credentials"),
	)
}

// The bounds of a role's session.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
const (
	minSession = time.Hour
	maxSession = 12 * time.Hour
)

// iamText is what IAM takes as a description.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
var iamText = lazily("^[\t\n\r\u0020-\u007e\u00a1-\u00ff]*$")

func roleForm(proofs proofForms) form[rawRole] {
	description := matching(shorter(lines(), 1000), iamText, "text that IAM takes", "use Latin letters and punctuation")
	return object(
		key("account", placed(text()), func(s *rawRole) *item[string] { return &s.Account }, "the account of the role: a name of accounts; may be left out if there is one only"),
		key("description", description, func(s *rawRole) *string { return &s.Description }, "what the role is for"),
		key("trust", filled(listOf(trustForm(proofs))), func(s *rawRole) *[]rawTrust { return &s.Trust }, "who may become the role: names of identities, or identities on the spot").must(),
		key("session", duration(minSession, maxSession), func(s *rawRole) *time.Duration { return &s.Session }, "how long a session may last: 1h (default) to 12h"),
		key("grants", filled(listOf(grantForm())), func(s *rawRole) *[]rawGrant { return &s.Grants }, "what the role may do: grants of the catalogue (postern catalog lists them)"),
		key("custom", filled(listOf(customForm())), func(s *rawRole) *[]rawCustom { return &s.Custom }, "statements that the catalogue does not have"),
		key("boundary", placed(text()), func(s *rawRole) *item[string] { return &s.Boundary }, "permissions boundary: the ARN or the name of a managed policy of the role's account"),
		key("tags", anyKeys(asWritten()), func(s *rawRole) *settings { return &s.Tags }, "tags of the role"),
		key("instance_profile", placed(boolean()), func(s *rawRole) *item[bool] { return &s.InstanceProfile }, "true: also make the instance profile that gives the role to EC2 instances"),
		key("external_id", text(), func(s *rawRole) *string { return &s.ExternalID }, "for trusted roles and accounts that state none themselves"),
	)
}

func untilField() field[ending] {
	return key("until", date(), func(s *ending) *time.Time { return &s.Until },
		"access ends by itself then: a day (as it begins, UTC) or an RFC 3339 time")
}

func trustForm(proofs proofForms) form[rawTrust] {
	name := placed(text())
	at := func(t *rawTarget) *item[string] { return &t.Name }
	inline := choiceForm[rawTarget, ending]{
		what:    "identity",
		kinds:   append([]field[rawTarget]{key("identity", name, at, "the name of an identity")}, proofs.kinds()...),
		rest:    []field[ending]{untilField()},
		strange: proofs.strangeTrust,
	}
	bare := mapped(name, func(v item[string]) rawTrust {
		return rawTrust{Kind: "identity", Pos: v.Pos, OK: v.Pos.known(), V: rawTarget{Name: v}}
	})
	return either(bare, inline.form())
}

func (p proofForms) strangeTrust(word, beside string) string {
	if word == "access_key" && beside == "" {
		return "a machine user needs a name: declare it under identities and write the name here"
	}
	return p.strange(word, beside)
}

// grantForm knows the whole catalogue: a grant's parameters are said there.
func grantForm() form[rawGrant] {
	var kinds []field[rawArgs]
	var all, bare []string
	for _, g := range catalog.All() {
		all = append(all, g.Name)
		if needsNothing(g) {
			bare = append(bare, g.Name)
		}
		kinds = append(kinds, key(g.Name, argsForm(g), func(s *rawArgs) *rawArgs { return s }, g.Summary))
	}
	full := choiceForm[rawArgs, ending]{what: "grant", kinds: kinds, rest: []field[ending]{untilField()}, strange: misplacedParam}
	return either(bareGrant(all, bare), full.form())
}

// bareGrant is a grant without arguments: its name. All names are read, so that
// the check of the arguments says what is missing; bare ones suit the schema.
func bareGrant(all, bare []string) form[rawGrant] {
	f := mapped(placed(text()), func(v item[string]) rawGrant {
		return rawGrant{Kind: v.V, Pos: v.Pos, OK: v.Pos.known(), V: rawArgs{place: place{Pos: v.Pos}}}
	})
	read := func(r *reader, n *yaml.Node) (rawGrant, bool) {
		g, ok := f.read(r, n)
		if _, known := catalog.Lookup(g.Kind); ok && !known {
			r.fail(g.Pos, fmt.Sprintf("unknown grant %q", g.Kind), cmp.Or(misplacedParam(g.Kind, ""), didYouMean(g.Kind, all)))
			return g, false
		}
		return g, ok
	}
	return form[rawGrant]{read: read, schema: schema{"enum": bare}}
}

func grantNames(grants []*catalog.Grant) string {
	var out []string
	for _, g := range grants {
		out = append(out, g.Name)
	}
	return strings.Join(out, ", ")
}

// misplacedParam recognises the commonest slips: of indentation, and to write
// what a grant is about for its name.
func misplacedParam(word, grant string) string {
	if word == "custom" {
		return "it stands beside grants, as a key of the role"
	}
	if named := catalog.Mentioning(word); grant == "" && catalog.Suggest(word) == "" && len(named) > 0 && len(named) <= 5 {
		return "of this there are " + grantNames(named)
	}
	g, ok := catalog.Lookup(grant)
	if !ok {
		return ""
	}
	isParam := func(p catalog.Param) bool { return p.Name == word }
	if word == "level" || slices.ContainsFunc(g.Params, isParam) {
		return "indent it below " + grant + ", whose argument it is"
	}
	return ""
}

// needsNothing reports whether the grant can stand without arguments.
func needsNothing(g *catalog.Grant) bool {
	required := func(p catalog.Param) bool { return p.Required }
	return !slices.ContainsFunc(g.Params, required) && len(g.Levels[0].Needs) == 0
}

// argsForm is the parameters and the level of a grant. Whether they make sense
// together is the catalogue's to say.
func argsForm(g *catalog.Grant) form[rawArgs] {
	var fields []field[rawArgs]
	for _, p := range g.Params {
		f := paramField(p)
		f.required, f.late = p.Required, true
		fields = append(fields, f)
	}
	levels := make([]string, len(g.Levels))
	for i, l := range g.Levels {
		levels[i] = l.Name
	}
	level := form[string]{read: readText, schema: schema{"enum": levels}}
	fields = append(fields, key("level", level, func(s *rawArgs) *string { return &s.Level }, "how wide the grant is, narrowest first; default: the first"))
	all := objectSchema(fields)
	wanted := slices.Clone(g.Levels[0].Needs)
	for _, p := range g.Params {
		if p.Required {
			wanted = append(wanted, p.Name)
		}
	}
	return objectAs(all, with(all, "required", wanted), fields)
}

func paramField(p catalog.Param) field[rawArgs] {
	set := func(f form[[]string]) field[rawArgs] {
		return field[rawArgs]{name: p.Name, doc: p.Summary, schema: f.schema, read: func(r *reader, n *yaml.Node, s *rawArgs) bool {
			v, ok := f.read(r, n)
			if s.Params == nil {
				s.Params = map[string][]string{}
			}
			s.Params[p.Name] = v
			return ok
		}}
	}
	switch p.Type {
	case catalog.List:
		list := oneOrMany(digits())
		return set(form[[]string]{schema: list.schema, read: func(r *reader, n *yaml.Node) ([]string, bool) {
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
				return []string{}, true // the catalogue says what to write instead
			}
			return list.read(r, n)
		}})
	case catalog.Bool:
		return set(mapped(boolean(), func(b bool) []string { return []string{strconv.FormatBool(b)} }))
	default:
		return set(mapped(digits(), func(s string) []string { return []string{s} }))
	}
}

func customForm() form[rawCustom] {
	many := oneOrMany(placed(text()))
	fields := []field[rawCustom]{
		key("because", prose(), func(s *rawCustom) *string { return &s.Because }, "why the statement is needed and no grant of the catalogue will do").must(),
		key("effect", anyCase(string(iam.Allow), string(iam.Deny)), func(s *rawCustom) *string { return &s.Effect }, "Allow (default) or Deny"),
		key("actions", many, func(s *rawCustom) *[]item[string] { return &s.Actions }, "such as s3:GetObject"),
		key("not_actions", many, func(s *rawCustom) *[]item[string] { return &s.NotActions }, "all but these; with Deny only"),
		key("resources", many, func(s *rawCustom) *[]item[string] { return &s.Resources }, "ARNs; \"*\" for actions that have no resource").must(),
		key("conditions", anyKeys(anyKeys(oneOrMany(placed(scalarText())))), func(s *rawCustom) *[]pair[multiSettings] { return &s.Conditions }, "operator to condition key to values"),
		key("unknown", oneWord("allow"), func(s *rawCustom) *string { return &s.Unknown }, "allow: take actions and condition keys that AWS's reference does not have, for those that are newer"),
		key("until", date(), func(s *rawCustom) *time.Time { return &s.Until }, "the statement ends by itself then: a day (as it begins, UTC) or an RFC 3339 time"),
	}
	all := objectSchema(fields)
	return objectAs(all, with(all, "required", []string{"actions", "resources", "because"}), fields)
}

func neverForm() form[rawNever] {
	many := oneOrMany(placed(text()))
	return object(
		key("identities", many, func(s *rawNever) *[]item[string] { return &s.Identities }, `names of identities, or patterns; "*": all, and those that roles trust on the spot`),
		key("roles", many, func(s *rawNever) *[]item[string] { return &s.Roles }, "names of roles, or patterns"),
		key("actions", many, func(s *rawNever) *[]item[string] { return &s.Actions }, "actions or patterns, such as s3:Put*").must(),
		key("on", many, func(s *rawNever) *[]item[string] { return &s.On }, "resources: ARNs or short forms such as repository/shop, or patterns; default: any"),
	)
}

func expectForm() form[rawExpect] {
	many := oneOrMany(placed(text()))
	return object(
		key("role", placed(text()), func(s *rawExpect) *item[string] { return &s.Role }, "the name of a role").must(),
		key("allow", many, func(s *rawExpect) *[]item[string] { return &s.Allow }, "actions that the role must be able to do"),
		key("deny", many, func(s *rawExpect) *[]item[string] { return &s.Deny }, "actions that the role must not be able to do"),
		key("on", many, func(s *rawExpect) *[]item[string] { return &s.On }, "resources: ARNs or short forms such as repository/shop"),
		key("context", anyKeys(oneOrMany(placed(scalarText()))), func(s *rawExpect) *multiSettings { return &s.Context }, "condition keys of the request"),
	)
}
