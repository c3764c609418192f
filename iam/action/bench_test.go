package action

import (
	"testing"
)

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := open(embedded); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstLookup is what the first question about a service costs: a
// small one, an average one, and the largest.
func BenchmarkFirstLookup(b *testing.B) {
	for _, prefix := range []string{"sts", "s3", "iam", "ec2"} {
		b.Run(prefix, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				a, err := open(embedded)
				if err != nil {
					b.Fatal(err)
				}
				e, _ := a.entry(prefix)
				b.StartTimer()
				e.load()
			}
		})
	}
}

// BenchmarkAllServices is what the first question about all services costs.
func BenchmarkAllServices(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		a, err := open(embedded)
		if err != nil {
			b.Fatal(err)
		}
		for i := range a.services {
			a.services[i].load()
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Lookup("ec2:runinstances"); !ok {
			b.Fatal("no ec2:RunInstances")
		}
	}
}

func BenchmarkConditionKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ConditionKey("s3", "aws:ResourceTag/team"); !ok {
			b.Fatal("no aws:ResourceTag")
		}
	}
}

func BenchmarkExpand(b *testing.B) {
	for _, pattern := range []string{"s3:Get*", "*:Describe*", "*"} {
		b.Run(pattern, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Expand(pattern)
			}
		})
	}
}

func BenchmarkShrink(b *testing.B) {
	s, _ := ServiceByPrefix("ec2")
	var writes []string
	for _, a := range s.Actions {
		if a.Level == Write {
			writes = append(writes, a.String())
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		Shrink(writes)
	}
}
