package aws

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

const lambdaBasic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

// roleDetail is a role as GetAccountAuthorizationDetails lists it.
func roleDetail(path, name, trust, more string) string {
	return fmt.Sprintf("<member><Path>%[1]s</Path><RoleName>%[2]s</RoleName><Arn>arn:aws:iam::%[3]s:role%[1]s%[2]s</Arn>"+
		"<AssumeRolePolicyDocument>%[4]s</AssumeRolePolicyDocument>%[5]s</member>", path, name, prod, url.PathEscape(trust), more)
}

func managedDetail(arn, path, versions string) string {
	return "<member><PolicyName>" + arn[strings.LastIndex(arn, "/")+1:] + "</PolicyName><Arn>" + arn + "</Arn><Path>" + path + "</Path>" +
		"<DefaultVersionId>v10</DefaultVersionId><PolicyVersionList>" + versions + "</PolicyVersionList></member>"
}

func version(id, doc string) string {
	return "<member><VersionId>" + id + "</VersionId><Document>" + url.PathEscape(doc) + "</Document></member>"
}

// page writes one page; marker empty: the last.
func page(content, marker string) string {
	if marker == "" {
		return content + "<IsTruncated>false</IsTruncated>"
	}
	return content + "<IsTruncated>true</IsTruncated><Marker>" + marker + "</Marker>"
}

// pages answers with one page after the other, by marker.
func pages(action string, contents ...string) answer {
	return func(_ int, form url.Values) (int, string) {
		i := 0
		if m := form.Get("Marker"); m != "" {
			fmt.Sscan(m, &i)
		}
		next := ""
		if i+1 < len(contents) {
			next = fmt.Sprint(i + 1)
		}
		return ok(action, page(contents[i], next))
	}
}

func TestObserveReadsPages(t *testing.T) {
	federated := strings.ReplaceAll(trustText, motoAccount, prod)
	attach := "<AttachedManagedPolicies><member><PolicyArn>" + lambdaBasic + "</PolicyArn></member></AttachedManagedPolicies>" +
		"<PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::aws:policy/Bound</PermissionsBoundaryArn></PermissionsBoundary>"
	mine := "arn:aws:iam::" + prod + ":policy/postern/shop/more"
	s := startStub(t, map[string]answer{
		"GetAccountAuthorizationDetails": pages("GetAccountAuthorizationDetails",
			"<RoleDetailList>"+roleDetail(path, "shop-b", federated, attach)+roleDetail("/", "legacy", `{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}`, "")+"</RoleDetailList>",
			"<RoleDetailList>"+roleDetail(path, "shop-a", ec2Trust, "")+"</RoleDetailList><UserDetailList><member><Path>"+path+"</Path><UserName>shop-ci</UserName>"+
				"<Arn>arn:aws:iam::"+prod+":user"+path+"shop-ci</Arn><GroupList><member>z</member><member>a</member></GroupList></member>"+
				"<member><Path>"+path+"x/</Path><UserName>bob</UserName><Arn>arn:aws:iam::"+prod+":user/bob</Arn></member></UserDetailList>"+
				"<GroupDetailList><member><Path>/</Path><GroupName>g</GroupName><Arn>arn:aws:iam::"+prod+":group/g</Arn>"+
				"<GroupPolicyList><member><PolicyName>p</PolicyName><PolicyDocument>"+url.PathEscape(grantText)+"</PolicyDocument></member></GroupPolicyList></member></GroupDetailList>",
			"<Policies>"+managedDetail(mine, path, version("v10", otherText)+version("v11", grantText)+version("v9", grantText))+
				managedDetail(lambdaBasic, "/service-role/", version("v10", otherText)+version("v9", grantText))+
				managedDetail("arn:aws:iam::aws:policy/Bound", "/", version("v10", otherText))+
				managedDetail("arn:aws:iam::aws:policy/AdministratorAccess", "/", version("v10", otherText))+"</Policies>",
		),
		"ListRoles": pages("ListRoles",
			"<Roles><member><RoleName>shop-a</RoleName><MaxSessionDuration>3600</MaxSessionDuration><Description>A</Description></member></Roles>",
			"<Roles><member><RoleName>shop-b</RoleName><MaxSessionDuration>7200</MaxSessionDuration></member></Roles>"),
		"ListInstanceProfiles": pages("ListInstanceProfiles",
			"<InstanceProfiles><member><InstanceProfileName>q</InstanceProfileName><Path>/</Path></member></InstanceProfiles>",
			"<InstanceProfiles><member><InstanceProfileName>p</InstanceProfileName><Path>"+path+"</Path><Roles><member><RoleName>shop-a</RoleName></member></Roles></member></InstanceProfiles>"),
		"ListOpenIDConnectProviders": says("ListOpenIDConnectProviders", "<OpenIDConnectProviderList>"+
			"<member><Arn>arn:aws:iam::"+prod+":oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/X</Arn></member>"+
			"<member><Arn>arn:aws:iam::"+prod+":oidc-provider/gitlab.com</Arn></member>"+
			"<member><Arn>arn:aws:iam::"+prod+":oidc-provider/"+issuer+"</Arn></member></OpenIDConnectProviderList>"),
		"GetOpenIDConnectProvider": says("GetOpenIDConnectProvider", "<ClientIDList><member>sts.amazonaws.com</member><member>a</member></ClientIDList>"+
			"<Tags><member><Key>postern:shared</Key><Value>true</Value></member></Tags>"),
		"ListAccessKeys": says("ListAccessKeys", "<AccessKeyMetadata><member><AccessKeyId>AKIAONE</AccessKeyId><Status>Inactive</Status>"+
			"<CreateDate>2026-01-02T03:04:05Z</CreateDate></member></AccessKeyMetadata>"),
		"GetAccountSummary": says("GetAccountSummary", "<SummaryMap><entry><key>RolesQuota</key><value>5000</value></entry><entry><key>Roles</key><value>7</value></entry>"+
			"<entry><key>AssumeRolePolicySizeQuota</key><value>4096</value></entry></SummaryMap>"),
	})
	got, err := s.connect(t).Observe(t.Context(), prod, "shop")
	if err != nil {
		t.Fatal(err)
	}
	quotas := estate.DefaultQuotas()
	quotas.Roles, quotas.TrustPolicySize = 5000, 4096
	shared := map[string]string{"postern:shared": "true"}
	want := estate.Account{
		ID: prod, Partition: "aws", Quotas: quotas,
		Roles: []estate.Role{
			{Name: "legacy", Path: "/"}, // its trust policy is none that we understand
			{Name: "shop-a", Path: path, Description: "A", MaxSession: time.Hour, Trust: parse(t, ec2Trust)},
			{
				Name: "shop-b", Path: path, MaxSession: 2 * time.Hour, Trust: parse(t, federated),
				Attached: []string{lambdaBasic}, Boundary: "arn:aws:iam::aws:policy/Bound",
			},
		},
		Users: []estate.User{
			{Name: "bob", Path: path + "x/"},
			{
				Name: "shop-ci", Path: path, Groups: []string{"a", "z"},
				Keys: []estate.AccessKey{{ID: "AKIAONE", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
			},
		},
		Groups: []estate.Group{{Name: "g", Path: "/", Inline: []estate.InlinePolicy{{Name: "p", Document: parse(t, grantText)}}}},
		Policies: []estate.ManagedPolicy{
			{Name: "more", Path: path, Document: parse(t, otherText), Versions: []string{"v9", "v11"}},
			{Name: "Bound", Path: "/", AWSManaged: true, Document: parse(t, otherText)},
			{Name: "AWSLambdaBasicExecutionRole", Path: "/service-role/", AWSManaged: true, Document: parse(t, otherText)},
		},
		InstanceProfiles: []estate.InstanceProfile{{Name: "p", Path: path, Role: "shop-a"}, {Name: "q", Path: "/"}},
		Providers: []estate.OIDCProvider{
			{URL: "gitlab.com", Audiences: []string{"a", "sts.amazonaws.com"}, Tags: shared},
			{URL: "oidc.eks.eu-west-1.amazonaws.com/id/X", Audiences: []string{"a", "sts.amazonaws.com"}, Tags: shared},
			{URL: issuer, Audiences: []string{"a", "sts.amazonaws.com"}, Tags: shared}, // a role of the stack trusts it
		},
	}
	if d := cmp.Diff(want, got, sameDocument); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	equal(t, s.named("ListRoles")[0].Get("PathPrefix"), path)
	equal(t, s.named("GetAccountAuthorizationDetails")[0].Get("MaxItems"), "1000")
	equal(t, s.named("ListAccessKeys")[0].Get("UserName"), "shop-ci")
	equal(t, len(s.named("ListAccessKeys")), 1)
}

// TestObserveCountsPages is the promise that a read costs calls by page of the
// account, not by role of the stack.
func TestObserveCountsPages(t *testing.T) {
	var list, roles strings.Builder
	for i := range 1000 {
		name := fmt.Sprintf("shop-%04d", i)
		list.WriteString(roleDetail(path, name, ec2Trust, ""))
		roles.WriteString("<member><RoleName>" + name + "</RoleName><MaxSessionDuration>3600</MaxSessionDuration></member>")
	}
	full := "<RoleDetailList>" + list.String() + "</RoleDetailList>"
	s := startStub(t, map[string]answer{
		"GetAccountAuthorizationDetails": pages("GetAccountAuthorizationDetails", full, full, full, full, full),
		"ListRoles":                      pages("ListRoles", "<Roles>"+roles.String()+"</Roles>"),
	})
	c := s.connect(t)
	s.calls = nil
	got, err := c.Observe(t.Context(), prod, "shop")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, len(got.Roles), 5000)
	var calls []string
	for _, form := range s.calls {
		calls = append(calls, form.Get("Action"))
	}
	slices.Sort(calls)
	equal(t, calls, []string{
		"GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails",
		"GetAccountAuthorizationDetails", "GetAccountSummary", "ListInstanceProfiles", "ListOpenIDConnectProviders", "ListRoles",
	})
}

func TestObserveRefusesItsOwnMalformedPolicy(t *testing.T) {
	s := startStub(t, map[string]answer{"GetAccountAuthorizationDetails": says("GetAccountAuthorizationDetails",
		"<RoleDetailList>"+roleDetail(path, "shop-a", `{"Statement":`, "")+roleDetail("/postern/shopping/", "x", `{"Statement":`, "")+
			roleDetail("/postern/shop/x/", "y", `{"Statement":`, "")+"</RoleDetailList>")})
	_, err := s.connect(t).Observe(t.Context(), prod, "shop")
	if err == nil || !strings.HasPrefix(err.Error(), "arn:aws:iam::"+prod+":role/postern/shop/shop-a: read trust policy: ") {
		t.Fatalf("error %v", err)
	}
	for _, other := range []string{"shopping", "shop/x/"} {
		if strings.Contains(err.Error(), other) {
			t.Errorf("what lies at another path is not ours to judge: %v", err)
		}
	}
}

// TestObserveAcrossReplicas: what one answer lists another may not know.
func TestObserveAcrossReplicas(t *testing.T) {
	s := startStub(t, map[string]answer{
		"GetAccountAuthorizationDetails": says("GetAccountAuthorizationDetails", "<UserDetailList><member><Path>"+path+"</Path><UserName>shop-ci</UserName>"+
			"<Arn>arn:aws:iam::"+prod+":user"+path+"shop-ci</Arn></member></UserDetailList>"),
		"ListOpenIDConnectProviders": says("ListOpenIDConnectProviders", "<OpenIDConnectProviderList>"+
			"<member><Arn>arn:aws:iam::"+prod+":oidc-provider/"+issuer+"</Arn></member></OpenIDConnectProviderList>"),
		"GetOpenIDConnectProvider": noEntity, "ListAccessKeys": noEntity,
	})
	got, err := s.connect(t).Observe(t.Context(), prod, "shop")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, estate.Account{ID: prod, Partition: "aws", Quotas: estate.DefaultQuotas(), Users: []estate.User{{Name: "shop-ci", Path: path}}})
}

func TestObserveErrors(t *testing.T) {
	denial := fails(http.StatusForbidden, "AccessDenied", "User: "+caller+
		" is not authorized to perform: iam:GetAccountAuthorizationDetails on resource: * because no identity-based policy allows the iam:GetAccountAuthorizationDetails action")
	tests := []struct {
		name   string
		action string
		answer answer
		want   string // empty: no error
		hint   string
		exit   int
	}{
		{
			name: "may not read the account", action: "GetAccountAuthorizationDetails", answer: denial, exit: fault.Auth,
			want: "account 222222222222: access denied: " + caller + " may not iam:GetAccountAuthorizationDetails on *, because no identity-based policy allows the iam:GetAccountAuthorizationDetails action",
			hint: `grant it: {"Effect":"Allow","Action":"iam:GetAccountAuthorizationDetails","Resource":"*"}`,
		},
		{name: "may not read quotas: AWS's defaults", action: "GetAccountSummary", answer: fails(http.StatusForbidden, "AccessDenied", "no")},
		{
			name: "a list that fails", action: "ListRoles", answer: fails(http.StatusBadRequest, "InvalidInput", "bad"), exit: fault.General,
			want: "account 222222222222: iam:ListRoles: InvalidInput: bad",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := startStub(t, map[string]answer{tt.action: tt.answer})
			got, err := s.connect(t).Observe(t.Context(), prod, "shop")
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				equal(t, got.Quotas, estate.DefaultQuotas())
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			equal(t, err.Error(), tt.want)
			equal(t, asFault(t, err).Hint, tt.hint)
			equal(t, fault.ExitCode(err), tt.exit)
		})
	}
}

func TestObserveInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := startStub(t, map[string]answer{"ListRoles": func(int, url.Values) (int, string) {
		cancel()
		return fail(http.StatusInternalServerError, "ServiceFailure", "")
	}})
	_, err := s.connect(t).Observe(ctx, prod, "shop")
	equal(t, fault.ExitCode(err), fault.Interrupted)
}

// FuzzParseDocument: whatever IAM sends, reading it ends in a document or an
// error.
func FuzzParseDocument(f *testing.F) {
	f.Add(url.PathEscape(trustText))
	f.Add(trustText)
	f.Add("%zz")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDocument(text)
		if (d == nil) == (err == nil) {
			t.Errorf("document %v, error %v", d, err)
		}
		if err == nil {
			again, err := parseDocument(url.PathEscape(text))
			if strings.HasPrefix(strings.TrimSpace(text), "{") && (err != nil || !iam.Equal(d, again)) {
				t.Errorf("percent-encoding changed the document: %v", err)
			}
		}
	})
}

// TestSnapshot: one action beside the question whose credentials these are, and
// nothing that cannot be read stands in the way.
func TestSnapshot(t *testing.T) {
	arn := strings.Replace(caller, "arn:aws:", "arn:aws-us-gov:", 1)
	s := startStub(t, map[string]answer{
		"GetCallerIdentity": says("GetCallerIdentity", "<Arn>"+arn+"</Arn><UserId>U</UserId><Account>"+prod+"</Account>"),
		"GetAccountAuthorizationDetails": pages("GetAccountAuthorizationDetails",
			"<GroupDetailList><member><Path>/</Path><GroupName>z</GroupName></member><member><GroupName>a</GroupName>"+
				"<GroupPolicyList><member><PolicyName>p</PolicyName><PolicyDocument>%7B</PolicyDocument></member></GroupPolicyList></member></GroupDetailList>",
			"<UserDetailList><member><Path>/</Path><UserName>alice</UserName><GroupList><member>a</member></GroupList></member></UserDetailList>"),
	})
	got, err := Snapshot(t.Context(), s.options(Account{ID: "333333333333", Name: "of a stack"}))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, estate.Account{
		ID: prod, Partition: "aws-us-gov", Quotas: estate.DefaultQuotas(),
		Groups: []estate.Group{{Name: "a", Inline: []estate.InlinePolicy{{Name: "p"}}}, {Name: "z", Path: "/"}},
		Users:  []estate.User{{Name: "alice", Path: "/", Groups: []string{"a"}}},
	})
	equal(t, len(s.calls), 3)
}

func TestSnapshotDenied(t *testing.T) {
	s := startStub(t, map[string]answer{"GetAccountAuthorizationDetails": fails(http.StatusForbidden, "AccessDenied",
		"User: "+caller+" is not authorized to perform: iam:GetAccountAuthorizationDetails on resource: * because no identity-based policy allows the iam:GetAccountAuthorizationDetails action")})
	_, err := Snapshot(t.Context(), s.options())
	equal(t, fault.ExitCode(err), fault.Auth)
	if got := asFault(t, err); !strings.Contains(got.Hint, "iam:GetAccountAuthorizationDetails") {
		t.Errorf("hint %q", got.Hint)
	}
}
