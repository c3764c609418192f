package gateway

import (
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

const (
	zoneID  = "Z0123456789ABCDEFGHIJ"
	zoneARN = "arn:aws:route53:::hostedzone/" + zoneID
)

// acmeScenarios answer a DNS-01 challenge with the calls that cert-manager,
// certbot and lego make.
func acmeScenarios() []scenario {
	return []scenario{{
		name: "AWS CLI answers a DNS-01 challenge", grant: "route53-acme",
		args: catalog.Args{"zones": {zoneID}, "names": {"www.example.org"}, "find_zone": {"true"}},
		tool: needAWS, breaks: "route53:ChangeResourceRecordSets",
		// moto chooses the ids of zones and changes.
		answers: []string{"route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:GetChange"},
		run: func(s *stage) error {
			return s.aws(
				"route53 change-resource-record-sets --hosted-zone-id "+zoneID+" --change-batch file://"+s.challenge("UPSERT", "_acme-challenge.www.example.org.", "TXT"),
				"route53 get-change --id C0123456789",
				"route53 list-hosted-zones",
				"route53 list-hosted-zones-by-name --dns-name example.org",
				"route53 list-resource-record-sets --hosted-zone-id "+zoneID+" --max-items 1",
				"route53 change-resource-record-sets --hosted-zone-id "+zoneID+" --change-batch file://"+s.challenge("DELETE", "_ACME-challenge.www.example.org", "TXT"),
			)
		},
		refused: "route53:ChangeResourceRecordSets", refuses: func(s *stage) error {
			return s.aws("route53 change-resource-record-sets --hosted-zone-id " + zoneID + " --change-batch file://" + s.challenge("UPSERT", "www.example.org", "TXT"))
		},
		denied: []wire.Call{
			{Action: "route53:ChangeResourceRecordSets", Resource: zoneARN},
			{Action: "route53:ChangeResourceRecordSets", Resource: "arn:aws:route53:::hostedzone/Z999"},
			change("UPSERT", "www.example.org", "TXT"),
			change("UPSERT", "_acme-challenge.example.org", "TXT"),
			change("UPSERT", "_acme-challenge.www.example.org", "CNAME"),
			change("CREATE", "_acme-challenge.www.example.org", "TXT"),
			{Action: "route53:ListResourceRecordSets", Resource: "arn:aws:route53:::hostedzone/Z999"},
			{Action: "route53:GetHostedZone", Resource: zoneARN},
			{Action: "route53:DeleteHostedZone", Resource: zoneARN},
		},
	}}
}

// challenge writes a change of one record into a file.
func (s *stage) challenge(action, name, kind string) (path string) {
	return s.file("change-"+action+".json", s.encode(map[string]any{"Changes": []any{map[string]any{
		"Action": action,
		"ResourceRecordSet": map[string]any{
			"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": []any{map[string]any{"Value": `"token"`}},
		},
	}}}))
}

// change is the call for a change of one record.
func change(action, name, kind string) wire.Call {
	const key = "route53:ChangeResourceRecordSets"
	return wire.Call{Action: key, Resource: zoneARN, Context: map[string][]string{
		key + "Actions": {action}, key + "NormalizedRecordNames": {name}, key + "RecordTypes": {kind},
	}}
}
