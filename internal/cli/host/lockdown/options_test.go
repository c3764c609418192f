package lockdown

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/aws"
)

func TestJudge(t *testing.T) {
	on, off := true, false
	one, two := 1, 2
	safe := aws.MetadataOptions{State: "applied", Tokens: "required", HopLimit: 1, IPv6: "disabled"}
	const (
		v2, near = "IMDSv2 is required", "tokens go one hop: not into bridged containers"
		v1       = "IMDSv1 is on: a server that can be made to fetch a URL gives the credentials away"
		far      = "tokens go 2 hops, and no container may have one"
		why      = ": EC2 has yet to apply it, or something else answers at that address"
		command  = "aws ec2 modify-instance-metadata-options "
	)
	tests := []struct {
		name       string
		seen       seenOptions
		ec2        *aws.MetadataOptions
		instance   string
		containers bool
		good, warn []string
		fix        string
	}{
		{name: "nothing is known"},
		{name: "seen to be safe", seen: seenOptions{V1: &off, HopLimit: &one}, good: []string{v2, near}},
		{
			name: "seen not to be", seen: seenOptions{V1: &on, HopLimit: &two}, warn: []string{v1, far},
			fix: command + "--instance-id ID --http-tokens required --http-put-response-hop-limit 1",
		},
		{name: "EC2 says so too", seen: seenOptions{V1: &off, HopLimit: &one}, ec2: &safe, instance: "i-1", good: []string{v2, near}},
		{name: "EC2 alone", ec2: &safe, instance: "i-1", good: []string{v2, near}},
		{
			name: "EC2 says otherwise", ec2: &safe, instance: "i-1", seen: seenOptions{V1: &on, HopLimit: &two, IPv6: &on},
			good: []string{v2, near},
			warn: []string{
				"EC2 says that IMDSv2 is required, but a request without a token was answered" + why,
				"EC2 says that tokens go 1 hops, but one came with 2" + why,
				"EC2 says that the IPv6 endpoint is disabled, but it answers" + why,
			},
		},
		{
			name: "EC2 says worse", instance: "i-1", seen: seenOptions{V1: &off},
			ec2: &aws.MetadataOptions{State: "pending", Tokens: "optional", HopLimit: 2, IPv6: "enabled"},
			warn: []string{
				"EC2 is still applying a change of the metadata options",
				"EC2 says that IMDSv2 is optional, but a request without a token was refused" + why, v1, far,
			},
			fix: command + "--region eu-west-1 --instance-id i-1 --http-tokens required --http-put-response-hop-limit 1",
		},
		{name: "containers may, and can", containers: true, seen: seenOptions{V1: &off, HopLimit: &two}, good: []string{v2}},
		{
			name: "containers may, and cannot", containers: true, seen: seenOptions{HopLimit: &one},
			warn: []string{"tokens go one hop: they do not reach the containers that are let through"},
			fix:  command + "--instance-id ID --http-put-response-hop-limit 2",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := optionsReport{Seen: tt.seen, EC2: tt.ec2, Instance: tt.instance}
			if tt.instance != "" {
				r.Region = "eu-west-1"
			}
			want := r
			want.Good, want.Warnings, want.Fix = tt.good, tt.warn, tt.fix
			r.judge(tt.containers)
			if d := cmp.Diff(want, r); d != "" {
				t.Error(d)
			}
		})
	}
}
