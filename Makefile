# Postern's chores. `make` alone lists them; CONTRIBUTING.md says more.

# What `postern version` prints: the tag, or the commit, of this working copy.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/postern-dev/postern/internal/cli/command.version=$(VERSION)

# A copy that git does not trust, such as one mounted into a container, still builds.
VCS := $(shell git status >/dev/null 2>&1 || echo -buildvcs=false)

FUZZTIME ?= 10s

.PHONY: help run build test tools lint fuzz bench clean

help: ## list these
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## bring up examples/shop on the embedded AWS; needs Go and nothing else
	bin/postern up --sandbox --yes examples/shop

build: ## build bin/postern
	CGO_ENABLED=0 go build -trimpath $(VCS) -ldflags '$(LDFLAGS)' -o bin/postern ./cmd/postern

test: tools ## run all tests, against moto and the AWS CLI too
	CGO_ENABLED=1 go test -race -timeout 15m ./...

tools: ## install what the tests need, pinned, where it is missing
	@test/tools/install

lint: ## check formatting, vet, staticcheck and known vulnerabilities
	@test/tools/lint

fuzz: ## fuzz each target for FUZZTIME (10s)
	@test/tools/fuzz $(FUZZTIME)

bench: ## run the benchmarks and print a table
	@test/tools/bench

clean: ## remove all that make has made
	rm -rf bin .cache
