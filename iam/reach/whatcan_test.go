package reach

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatCan(t *testing.T) {
	edge := one("edge", `{"Effect":"Allow","Action":["s3:Get*","sqs:*"],"Resource":"*"}`)
	tests := []struct {
		name string
		can  Principal
		want []string
	}{
		{name: "everything", can: Principal{Identity: []Policy{one("all", allowAll)}}, want: []string{"*: * on * always all/0"}},
		{
			name: "by service", can: Principal{Identity: []Policy{one("some", `{"Effect":"Allow","Action":["sqs:SendMessage","s3:Get*","s3:PutObject"],"Resource":["arn:aws:s3:::a/*","*"]}`)}},
			want: []string{"s3: s3:Get*,s3:PutObject on arn:aws:s3:::a/*,* always some/0", "sqs: sqs:SendMessage on arn:aws:s3:::a/*,* always some/0"},
		},
		{
			name: "what is not denied",
			can: Principal{Identity: []Policy{one("queue", `{"Effect":"Allow","Action":"sqs:*Message","Resource":"*"},
				{"Effect":"Deny","Action":"sqs:DeleteMessage","Resource":"*"}`)}},
			want: []string{"sqs: sqs:ReceiveMessage,sqs:SendMessage on * always queue/0"},
		},
		{
			name: "what the boundary admits, under a condition",
			can:  Principal{Boundary: &edge, Identity: []Policy{one("own", `{"Effect":"Allow","Action":["iam:*","sqs:SendMessage"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`)}},
			want: []string{"sqs: sqs:SendMessage on * sometimes own/0"},
		},
		{name: "a policy that is not known", can: Principal{Identity: []Policy{{Name: "gone"}}}, want: []string{":  on  sometimes gone/0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := userOf(near, "one", tt.can)
			var got []string
			for _, p := range NewWorld([]Member{m}, Facts{}).WhatCan(m.Who.ARN) {
				got = append(got, fmt.Sprintf("%s: %s on %s %s %s/%d", p.Service, strings.Join(p.Actions, ","), strings.Join(p.Resources, ","), p.Extent, p.Via.Policy, p.Via.Index))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("WhatCan (-want +got):\n%s", diff)
			}
		})
	}
	if got := NewWorld(nil, Facts{}).WhatCan("arn:aws:iam::111111111111:user/nobody"); got != nil {
		t.Errorf("WhatCan of nobody = %v", got)
	}
}
