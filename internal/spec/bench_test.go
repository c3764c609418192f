package spec_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/spec"
)

func BenchmarkShop(b *testing.B) {
	data, err := os.ReadFile(shop)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := spec.Parse(spec.Source{Name: shop, Data: data}); err != nil {
			b.Fatal(err)
		}
	}
}

// large is a spec of n identities, each with a role of its own, which trusts
// the identity of that name with the prefix.
func large(n int, prefix string) spec.Source {
	var b strings.Builder
	b.WriteString("stack: shop\nregion: eu-west-1\naccounts: { prod: { id: 111111111111 } }\nidentities:\n")
	for i := range n {
		fmt.Fprintf(&b, "  i%d: { github: { repository: a/b%d, branch: main } }\n", i, i)
	}
	b.WriteString("roles:\n")
	for i := range n {
		fmt.Fprintf(&b, "  r%d: { trust: [%s%d], grants: [ { ecr-docker-push: { repositories: [b%d] } } ] }\n", i, prefix, i, i)
	}
	return spec.Source{Name: "postern.yaml", Data: []byte(b.String())}
}

func BenchmarkThousandRoles(b *testing.B) {
	src := large(1000, "i")
	for b.Loop() {
		if _, err := spec.Parse(src); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkManyMistakes is the worst that fits into a file: every role trusts
// an identity that is not there.
func BenchmarkManyMistakes(b *testing.B) {
	src := large(7000, "z")
	b.SetBytes(int64(len(src.Data)))
	for b.Loop() {
		if _, err := spec.Parse(src); err == nil {
			b.Fatal("no mistakes")
		}
	}
}
