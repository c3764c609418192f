package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/suggest"
)

// knownRegions are the regions of the three partitions in November 2026.
//
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
var knownRegions = strings.Fields(`
	af-south-1
	ap-east-1 ap-east-2
	ap-northeast-1 ap-northeast-2 ap-northeast-3
	ap-south-1 ap-south-2
	ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
	ca-central-1 ca-west-1
	cn-north-1 cn-northwest-1
	eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3
	il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1
	us-east-1 us-east-2 us-west-1 us-west-2
	us-gov-east-1 us-gov-west-1
`)

// regionName is a region that AWS may open one day: an area that has regions
// today or may have, a direction, and a low number.
var regionName = lazily(`^(us-gov|[a-z]{2})-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]$`)

// KnownRegion reports whether the region is one of those that AWS had when
// Postern was made.
func KnownRegion(region string) bool { return slices.Contains(knownRegions, region) }

// CheckRegion says what is wrong with the name of a region and what to write
// instead; an empty message means that it is one, or may be one day.
func CheckRegion(region string) (msg, hint string) {
	if KnownRegion(region) || regionName().MatchString(region) {
		return "", ""
	}
	hint = "such as eu-west-1"
	if near := suggest.Nearest(region, knownRegions); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Sprintf("%q is no AWS region", region), hint
}

// CheckIn is Check for a role in s, of which only the partition counts: it also
// refuses regions and ARNs of other partitions, which the role could never
// reach.
func (g *Grant) CheckIn(s Scope, level string, args Args) []*ArgError {
	errs := g.Check(level, args)
	for _, p := range g.Params {
		for _, v := range args[p.Name] {
			if msg, hint := p.elsewhere(s, v); msg != "" {
				errs = append(errs, &ArgError{Param: p.Name, Msg: msg, Hint: hint})
			}
		}
	}
	return errs
}

// elsewhere says why a value lies outside of the role's partition. Values that
// are wrong in themselves are Check's to report.
func (p *Param) elsewhere(s Scope, v string) (msg, hint string) {
	if msg, _ := p.fault(v); msg != "" {
		return "", ""
	}
	partition := s.Partition
	if p.Regions {
		partition = iam.LookupPartition(v)
	} else if arn, err := iam.ParseARN(v); err == nil {
		partition = arn.Partition
	}
	if partition == s.Partition {
		return "", ""
	}
	return fmt.Sprintf("%q is in partition %s, but the role is in %s: nothing can act across partitions", v, partition, s.Partition), ""
}
