package suggest

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	grants := []string{"ecr-docker-push", "ecs-service-deployment", "ssh-key-lookup", "terraform-remote-state-s3", "terragrunt"}
	keys := []string{"repository", "repository_id", "branch", "tag", "environment"}
	tests := []struct {
		name       string
		word       string
		candidates []string
		want       string
	}{
		{"one letter wrong", "ecr-docker-bush", grants, "ecr-docker-push"},
		{"letters swapped", "terragrutn", grants, "terragrunt"},
		{"case and underscores", "ECS_Service_Deployment", grants, "ecs-service-deployment"},
		{"a plural", "repositories", []string{"repository"}, "repository"},
		{"a short plural", "identity", []string{"identities", "roles"}, "identities"},
		{"equal", "branch", keys, "branch"},
		{"swapped in a short word", "tga", keys, "tag"},
		{"the one beginning", "ecr", grants, "ecr-docker-push"},
		{"two beginnings", "ter", []string{"terraform-remote-state-s3", "terragrunt"}, ""},
		{"too short to begin", "ec", grants, ""},
		{"far from all", "kubernetes", grants, ""},
		{"first of equals", "bat", []string{"cat", "rat"}, "cat"},
		{"one letter", "a", []string{"b", "ab"}, ""},
		{"empty word", "", grants, ""},
		{"no candidates", "branch", nil, ""},
		{"absurdly long", strings.Repeat("a", 1<<20), []string{strings.Repeat("a", 1<<20)}, ""},
		{"not ASCII", "größe", []string{"grösse", "branch"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Nearest(tt.word, tt.candidates); got != tt.want {
				t.Errorf("Nearest(%q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"abc", "abc", 0},
		{"abc", "", 3},
		{"", "abc", 3},
		{"kitten", "sitting", 3},
		{"abcd", "acbd", 1},
		{"ca", "abc", 3},
	}
	for _, tt := range tests {
		if got := distance([]rune(tt.a), []rune(tt.b)); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
