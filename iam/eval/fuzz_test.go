package eval_test

import (
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// FuzzCompile: no document makes Compile, Decide or Explain panic; Decide and
// Explain agree; what is in doubt never allows more than without its Allow
// statements; and adding a policy's Deny statements never turns a no into a yes.
func FuzzCompile(f *testing.F) {
	for _, src := range []string{
		allowAll, denyAlice, grants(toSession), trusts(toGitHub),
		v12(`"Effect":"Allow","NotPrincipal":{"AWS":"*"},"NotAction":[],"NotResource":"${aws:username, '}'}*${*}?"`),
		v12(`"Effect":"Deny","Principal":{"CanonicalUser":"x"},"Action":"?","Condition":{"ForAnyValue:ArnNotLikeIfExists":{"k":["arn:${a}","*"]},"DateEquals":{"k":2026},"Null":{"k":false}}`),
		v12(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"k":["::/0","1.2.3.4"]},"NumericLessThan":{"k":-1.50},"BinaryEquals":{"k":""},"Bool":{"k":"${k}"}}`),
	} {
		f.Add([]byte(src), "s3:GetObject", bucket, "value")
	}
	f.Fuzz(func(t *testing.T, src []byte, action, resource, value string) {
		doc, err := iam.Parse(src)
		if err != nil {
			return
		}
		ctx := eval.NewContext(map[string][]string{"k": {value}, "K": {value + "1"}, "many": {value, "x"}, "aws:username": {value}})
		for _, kind := range []eval.Kind{eval.Identity, eval.Boundary, eval.Session, eval.Resource, eval.Trust, eval.Endpoint, eval.SCP, eval.RCP} {
			p, err := eval.Compile("p", kind, doc)
			denies, _ := eval.Compile("denies", kind, onlyDenies(doc))
			for _, who := range []eval.Principal{nobody, root, alice, role, session, fed, ec2, github, saml} {
				r := &eval.Request{Principal: who, Action: action, Resource: resource, Context: ctx}
				with, without := layersOf(t, kind, p), layersOf(t, kind, denies)
				got := decide(t, with, r)
				with.Details(r)
				if outlook := with.Judge(r).Outlook; got == eval.Allowed && outlook == eval.Never || !with.MightAllow(r) && outlook == eval.Always {
					t.Errorf("%v policy: Decide = %v, MightAllow = %v, Judge = %v", kind, got, with.MightAllow(r), outlook)
				}
				evaluable := kind == eval.Trust && len(doc.Statements) == 1 && (doc.Statements[0].Resources != nil || doc.Statements[0].NotResources != nil)
				if err != nil && !evaluable && len(doc.Statements) == 1 && doc.Statements[0].Effect == iam.Allow && got == eval.Allowed && without.Decide(r) != eval.Allowed {
					t.Errorf("%v policy with %v allows", kind, err)
				}
				if (got == eval.ExplicitDeny) != (without.Decide(r) == eval.ExplicitDeny) {
					t.Errorf("%v policy: the Allow statements change what is denied", kind)
				}
			}
		}
	})
}

func onlyDenies(doc *iam.Document) *iam.Document {
	out := &iam.Document{Version: doc.Version}
	for _, s := range doc.Statements {
		if s.Effect == iam.Deny {
			out.Statements = append(out.Statements, s)
		}
	}
	return out
}

// layersOf puts a policy in its place, among others that allow.
func layersOf(t *testing.T, kind eval.Kind, p *eval.Policy) *eval.Layers {
	l := &eval.Layers{}
	if kind != eval.Identity && kind != eval.Resource {
		l.Identity = []*eval.Policy{compile(t, "all", eval.Identity, allowAll)}
	}
	switch kind {
	case eval.Identity:
		l.Identity = []*eval.Policy{p}
	case eval.Boundary:
		l.Boundary = []*eval.Policy{p}
	case eval.Session:
		l.Session = []*eval.Policy{p}
	case eval.Resource, eval.Trust:
		l.Resource = p
	case eval.Endpoint:
		l.Endpoint = []*eval.Policy{p}
	case eval.SCP:
		l.SCP = [][]*eval.Policy{{p}}
	case eval.RCP:
		l.RCP = [][]*eval.Policy{{p}}
	}
	return l
}
