package trust

import (
	"testing"

	"pgregory.net/rapid"
)

// TestNoNameMakesAnAttackerOfAFriend: whatever the names, those that the
// attackers use themselves above all, an identity admits itself and no attacker.
func TestNoNameMakesAnAttackerOfAFriend(t *testing.T) {
	s := attackScopes[0]
	rapid.Check(t, func(t *rapid.T) {
		id := anyKind(t)
		if len(id.Check()) > 0 {
			return
		}
		doc, err := Policy(s, []Entry{{Name: "x", Identity: id}})
		if err != nil {
			t.Fatalf("%s: Check takes it, Policy does not: %v", id.Describe(), err)
		}
		if !admits(doc, s, id.Caller(s)) {
			t.Fatalf("%s is refused:\n%s", id.Describe(), doc.Indented())
		}
		for _, attack := range id.Attackers(s) {
			if admits(doc, s, attack.Caller) {
				t.Fatalf("%s admits %s: %v\n%s", id.Describe(), attack.Name, attack.Keys, doc.Indented())
			}
		}
	})
}

// anyKind draws an identity whose names are those of the attackers.
func anyKind(t *rapid.T) Identity {
	draw := func(label string, words ...string) string { return rapid.SampledFrom(words).Draw(t, label) }
	name := func(label string) string {
		return draw(label, "acme", "mallory", "mallory-2", "app", "app-2", "playground", "playground-2", "acme-evil", "default", "forks", "default-2", "shop")
	}
	ref := func(label string) string {
		return draw(label, "main", "feature", "feature-2", "f*", "v0", "v*", "other", "release/*", "x/vcs-origin/github.com/acme/shop/vcs-ref/refs/heads/main")
	}
	uuid := func(label string) string {
		return draw(label, uuidA, uuidB, otherUUID(uuidA), otherUUID(otherUUID(uuidA)), someUUID)
	}
	yes := func(label string) bool { return rapid.Bool().Draw(t, label) }
	maybe := func(label, value string) string {
		if yes(label) {
			return value
		}
		return ""
	}
	switch rapid.IntRange(0, 13).Draw(t, "kind") {
	case 0:
		return GitLab{
			ProjectPath: name("group") + "/" + maybe("subgroup", "forks/") + name("project"), ProjectID: maybe("id", "7"), Host: maybe("host", "gitlab.example.com"), Ref: ref("ref"),
			RefType: draw("type", "", "branch", "tag"), RefProtected: yes("protected"), PipelineSource: draw("source", "", "push", "merge_request_event"),
			DeploymentTier: draw("tier", "", "production", "development"), EnvironmentProtected: yes("environment"),
		}
	case 1:
		return CircleCI{OrganizationID: uuid("org"), ProjectID: uuid("project"), VCSOrigin: draw("origin", "github.com/acme/shop", "github.com/mallory/fork"), VCSRef: "refs/" + draw("kind", "heads/", "tags/") + draw("at", "pull/1", "main", "feature", "f*")}
	case 2:
		return Bitbucket{Workspace: name("workspace"), WorkspaceUUID: uuid("workspace id"), RepositoryUUID: uuid("repository"), EnvironmentUUID: uuid("environment")}
	case 3:
		b := Buildkite{Organization: name("org"), Pipeline: name("pipeline"), Step: draw("step", "", "lint", "deploy", "x:step:deploy")}
		if yes("tag") {
			b.Tag = ref("ref")
		} else {
			b.Branch = ref("ref")
		}
		if yes("ids") {
			b.OrganizationID, b.PipelineID = uuid("org id"), uuid("pipeline id")
		}
		return b
	case 4:
		return AzureDevOps{Organization: name("org"), OrganizationID: uuid("id"), Project: name("project"), ServiceConnection: name("connection")}
	case 5:
		return JenkinsOIDC{Issuer: draw("issuer", "https://jenkins.example.net/oidc", "https://jenkins.example.com/oidc"), JobURL: "https://jenkins.example.com/job/" + name("job") + "/"}
	case 6:
		return HCPTerraform{Organization: name("org"), Project: name("project"), Workspace: name("workspace"), RunPhase: draw("phase", "plan", "apply")}
	case 7:
		if yes("environment") {
			return PulumiCloud{Organization: name("org"), Environment: name("project") + "/" + name("environment")}
		}
		return PulumiCloud{Organization: name("org"), Project: name("project"), Stack: name("stack"), Operations: rapid.SliceOfNDistinct(rapid.SampledFrom(pulumiOperations), 1, 4, rapid.ID[string]).Draw(t, "operations")}
	case 8:
		f := Forgejo{Host: "codeberg.org", Repository: name("owner") + "/" + name("name")}
		if yes("ids") {
			f.RepositoryID, f.OwnerID = "2", "1"
		}
		switch draw("context", "branch", "tag", "pull") {
		case "branch":
			f.Branch = ref("ref")
		case "tag":
			f.Tag = ref("ref")
		default:
			f.PullRequest = true
		}
		return f
	case 9:
		return Spacelift{Host: draw("host", "acme.app.spacelift.io", "mallory.app.spacelift.io"), Space: name("space"), Stack: name("stack"), RunType: rapid.SampledFrom(runTypes).Draw(t, "run type"), Scope: draw("scope", "read", "write")}
	case 10:
		return Kubernetes{Issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/" + draw("id", "A", "99999999999999999999999999999999"), Namespace: name("namespace"), ServiceAccount: name("account")}
	case 11:
		return EKSPodIdentity{ClusterARN: "arn:aws:eks:eu-west-1:222222222222:cluster/" + name("cluster"), Namespace: name("namespace"), ServiceAccount: name("account")}
	case 12:
		return OIDC{Issuer: "https://" + draw("issuer", "issuer.example.net", "issuer.example.com"), Audience: name("audience"), Subject: name("subject")}
	default:
		return RolesAnywhere{TrustAnchor: "arn:aws:rolesanywhere:eu-west-1:222222222222:trust-anchor/" + uuid("anchor"), CommonName: name("cn"), OrganizationalUnit: maybe("ou", name("unit"))}
	}
}
