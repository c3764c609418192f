package catalog

import "github.com/postern-dev/postern/iam"

// route53ACME answers DNS-01 challenges, as cert-manager, certbot, lego,
// Traefik and acme.sh do: it sets and removes TXT records
// _acme-challenge.NAME and nothing else.
//
// ForAllValues alone would hold for a call that names no record, so each of the
// keys must be there as well:
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html
func route53ACME() *Grant {
	const label = `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`
	return &Grant{
		Name:    "route53-acme",
		Area:    Secrets,
		Summary: "prove to a certificate authority that a domain is yours, by DNS-01 challenges in Route 53",
		Never:   "change a record other than TXT _acme-challenge.…, create or delete a hosted zone, change who serves it, see records of a zone that is not named",
		Params: []Param{
			{
				Name: "zones", Type: List, Required: true, Max: 20, Pattern: `^Z[A-Z0-9]{1,31}$`, Example: "Z0123456789ABCDEFGHIJ",
				Summary: "up to 20 ids of hosted zones, as Z0123456789ABCDEFGHIJ, without /hostedzone/",
				Wider:   "no level reaches zones that are not named",
			},
			{
				Name: "names", Type: List, Max: 50, Pattern: `^` + label + `(\.` + label + `)+$`, Example: "www.example.org", Levels: []string{"name"},
				Summary: "up to 50 domain names of certificates, in lower case, without a dot at the end",
				Wider:   "for a certificate of *.example.org write example.org; for every name of a zone use level zone",
			},
			{Name: "find_zone", Type: Bool, Default: "false", Example: "true", Summary: "also list the account's hosted zones: for certbot, and for clients that are not told the zone's id"},
		},
		Levels: []Level{
			{Name: "name", Summary: "answer challenges for the named domains", Needs: []string{"names"}},
			{Name: "zone", Summary: "answer challenges for every name of the zones", Adds: "certificates for every other name of the zones"},
		},
		Unscopable: []Unscopable{
			{Actions: []string{"route53:ListHostedZones", "route53:ListHostedZonesByName"}, Reason: "know no resource; they show names and ids of all hosted zones of the account, not their records"},
		},
		Why: Why{
			"route53:ChangeResourceRecordSets": "cert-manager, certbot, lego, acme.sh: set the challenge (UPSERT) and remove it (DELETE)",
			"route53:GetChange":                "cert-manager, certbot, lego: wait until all name servers know the challenge",
			"route53:ListHostedZones":          "certbot, acme.sh: find the zone of a name, with find_zone",
			"route53:ListHostedZonesByName":    "cert-manager without hostedZoneID, lego without AWS_HOSTED_ZONE_ID: find the zone, with find_zone",
			"route53:ListResourceRecordSets":   "lego, Traefik, acme.sh: read the challenges that are there, to add to them",
		},
		Cases:      route53Cases,
		statements: route53Statements,
	}
}

func route53Statements(s Scope, level string, args Args) []iam.Statement {
	global := func(resource string) string { return s.arnIn("route53", "", "", resource) }
	zones := each(args["zones"], func(id string) string { return global("hostedzone/" + id) })
	records := each(args["names"], func(name string) string { return "_acme-challenge." + name })
	if level == "zone" {
		records = []string{"_acme-challenge.*"}
	}
	const key = "route53:ChangeResourceRecordSets"
	out := []iam.Statement{
		allow("AcmeChallenge", []string{"route53:ChangeResourceRecordSets"}, zones,
			when("ForAllValues:StringLike", key+"NormalizedRecordNames", records...),
			when("ForAllValues:StringEquals", key+"RecordTypes", "TXT"),
			when("ForAllValues:StringEquals", key+"Actions", "DELETE", "UPSERT"),
			when("Null", key+"NormalizedRecordNames", "false"),
			when("Null", key+"RecordTypes", "false"),
			when("Null", key+"Actions", "false")),
		allow("AcmeRead", []string{"route53:ListResourceRecordSets"}, zones),
		// The id of a change is known only after it was made.
		allow("AcmeWait", []string{"route53:GetChange"}, []string{global("change/*")}),
	}
	if args.on("find_zone") {
		out = append(out, allow("AcmeFindZone", []string{"route53:ListHostedZones", "route53:ListHostedZonesByName"}, everything()))
	}
	return out
}

func route53Cases() []Case {
	const (
		id    = "Z0123456789ABCDEFGHIJ"
		zone  = "arn:aws:route53:::hostedzone/" + id
		other = "arn:aws:route53:::hostedzone/Z999"
		key   = "route53:ChangeResourceRecordSets"
	)
	change := func(zone, action, kind string, names ...string) []call {
		return calls(zone, map[string][]string{
			key + "NormalizedRecordNames": names, key + "RecordTypes": {kind}, key + "Actions": {action},
		}, key)
	}
	without := func(missing string) []call {
		context := map[string][]string{
			key + "NormalizedRecordNames": {"_acme-challenge.www.example.org"}, key + "RecordTypes": {"TXT"}, key + "Actions": {"UPSERT"},
		}
		delete(context, key+missing)
		return calls(zone, context, key)
	}
	find := calls("*", nil, "route53:ListHostedZones", "route53:ListHostedZonesByName")
	answer := flat(
		change(zone, "UPSERT", "TXT", "_acme-challenge.www.example.org"),
		change(zone, "DELETE", "TXT", "_acme-challenge.www.example.org"),
		calls(zone, nil, "route53:ListResourceRecordSets"),
		calls("arn:aws:route53:::change/C1", nil, "route53:GetChange"),
	)
	next := change(zone, "UPSERT", "TXT", "_acme-challenge.mail.example.org")
	never := flat(
		change(zone, "UPSERT", "TXT", "www.example.org"),
		change(zone, "UPSERT", "TXT", "_dmarc.example.org"),
		change(zone, "UPSERT", "TXT", "_acme-challenge.www.example.org", "www.example.org"),
		change(zone, "UPSERT", "TXT", "evil._acme-challenge.www.example.org"),
		change(zone, "UPSERT", "CNAME", "_acme-challenge.www.example.org"),
		change(zone, "UPSERT", "A", "www.example.org"),
		change(zone, "CREATE", "TXT", "_acme-challenge.www.example.org"),
		without("NormalizedRecordNames"), without("RecordTypes"), without("Actions"),
		change(other, "UPSERT", "TXT", "_acme-challenge.www.example.org"),
		calls(other, nil, "route53:ListResourceRecordSets"),
		calls(zone, nil, "route53:DeleteHostedZone", "route53:GetHostedZone", "route53:UpdateHostedZoneComment", "route53:AssociateVPCWithHostedZone"),
		calls("*", nil, "route53:CreateHostedZone", "route53:ListHealthChecks"),
	)
	zones := []string{id}
	return flat(
		cases("", Args{"zones": zones, "names": {"www.example.org"}}, answer,
			flat(never, find, next, change(zone, "UPSERT", "TXT", "_acme-challenge.example.org"),
				change(zone, "UPSERT", "TXT", "_acme-challenge.www.example.org", "_acme-challenge.mail.example.org"))),
		cases("name", Args{"zones": zones, "names": {"www.example.org", "mail.example.org"}, "find_zone": {"true"}},
			flat(answer, next, find, change(zone, "UPSERT", "TXT", "_acme-challenge.www.example.org", "_acme-challenge.mail.example.org")), never),
		cases("zone", Args{"zones": zones, "find_zone": {"true"}}, flat(answer, next, find), never),
	)
}
