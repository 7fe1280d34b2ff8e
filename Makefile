# The verbs of the house. Everything they need and do not find they install (Debian, root): scripts/need.
.DEFAULT_GOAL := help
SHELL := /bin/bash

export CGO_ENABLED := 0
BUILD := go build -trimpath
GOLANGCI := v2.15.0
DATA ?= data

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: up
up: build ## build, start on https://localhost:4443 and stay in the foreground
	bin/tertulia serve --data $(DATA)

.PHONY: build
build: web ## bin/tertulia with the call page in it
	$(BUILD) -o bin/tertulia ./cmd/tertulia

.PHONY: web
web: ## the call page: web/dist
	@scripts/need go node
	scripts/npm web
	cd web && npm run --silent build

.PHONY: test
test: ## everything that fits in 15 minutes: vet, Go tests, real browsers, namespaces
	@scripts/need all
	scripts/test

.PHONY: test-long
test-long: ## the rest, resumable; PART=race, fuzz, churn, load, envelope, compat, netlab or faults for one part
	@scripts/need all
	scripts/test-long $(PART)

.PHONY: e2e
e2e: build ## real browsers only; FILES='compat/call*.test.js' for some
	@scripts/need all
	scripts/npm test
	scripts/e2e $(FILES)

.PHONY: check
check: ## gofmt, vet, golangci-lint, svelte-check
	@scripts/need go node
	@test -z "$$(gofmt -l cmd internal web test client 2>/dev/null | grep -v node_modules | tee /dev/stderr)" || { echo 'gofmt -w these files'; exit 1; }
	go vet ./...
	@bin/golangci-lint version 2>/dev/null | grep -q ' $(GOLANGCI:v%=%) ' || \
		GOBIN=$(CURDIR)/bin go install -trimpath github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	bin/golangci-lint run ./...
	scripts/npm web
	cd web && npm run --silent check

.PHONY: bench
bench: BUILD += -buildvcs=auto # the report names the commit
bench: build ## every budget of the packet path, beside LiveKit and Janus: docs/bench, about 25 minutes; QUICK=1 for 3
	scripts/bench $(if $(QUICK),--quick)

.PHONY: promises
promises: ## what the last test run says of each promise: passed, failed, absent
	@scripts/promises
