package iam

import (
	"fmt"
	"strings"
)

// ARN is an Amazon Resource Name cut at its first five colons. The resource
// part keeps its own colons and slashes. Any part may hold wildcards.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
type ARN struct {
	Partition string // "aws", "aws-cn", "aws-us-gov"
	Service   string // "s3"
	Region    string // empty for global services
	Account   string // 12 digits; empty where the resource's name is global
	Resource  string // "role/path/name", "bucket/key"
}

// arnParts is the number of colon-separated parts of an ARN.
const arnParts = 6

// ParseARN reads "arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE". Partition,
// service and resource must not be empty.
func ParseARN(s string) (ARN, error) {
	parts := strings.SplitN(s, ":", arnParts)
	if len(parts) != arnParts || parts[0] != "arn" {
		return ARN{}, fmt.Errorf("parse ARN %q: want arn:partition:service:region:account:resource", s)
	}
	a := ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}
	if a.Partition == "" || a.Service == "" || a.Resource == "" {
		return ARN{}, fmt.Errorf("parse ARN %q: partition, service and resource must not be empty", s)
	}
	return a, nil
}

// String is the inverse of ParseARN.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// LookupPartition names the partition that a region lies in: aws-cn for
// cn-*, aws-us-gov for us-gov-*, else aws.
func LookupPartition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// IsAccountID reports whether s is an AWS account id: twelve digits.
func IsAccountID(s string) bool {
	if len(s) != 12 {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}
