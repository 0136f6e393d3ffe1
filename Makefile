# The verbs of this project. Each stops at the first failure, and one that finds nothing to do fails.
# What setup fetches lives outside the checkout: $HOMING_TOOLS, or homing-tools in the user's cache folder.

GO ?= go
FUZZTIME ?= 60s
SOAKTIME ?= 600

.PHONY: help setup build test lint fuzz bench microbench docs interop soak

help:
	@echo 'make setup    fetch what tests and lint need beyond Go (as root for all of it)'
	@echo 'make build    bin/homing'
	@echo 'make test     all tests, race detector and shuffle on; what needs a missing tool is skipped by name'
	@echo 'make lint     gofmt, vet for Linux, Windows and macOS, golangci-lint'
	@echo 'make fuzz     every fuzz target for FUZZTIME ($(FUZZTIME))'
	@echo 'make bench    what is promised about time and memory; over a limit is a failure (UPDATE_DOCS=1 writes docs/benchmarks.md)'
	@echo 'make microbench  the benchmarks of every package'
	@echo 'make soak     edits beside the AWS CLI, renewals under load and random kills (the latter SOAKTIME=$(SOAKTIME) seconds)'
	@echo 'make docs     write the generated pages again'
	@echo "make interop  other people's clients against the emulator; a missing client is a failure"

setup:
	@scripts/setup

# Without the C library, which would be loaded at every start: docs/adr/0021-the-hot-path.md.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/ ./cmd/...

test:
	$(GO) test -race -shuffle=on -timeout 30m ./...

lint:
	@scripts/lint

fuzz:
	@scripts/fuzz $(FUZZTIME)

bench:
	@scripts/bench

microbench:
	@scripts/microbench

soak:
	@scripts/soak $(SOAKTIME)

docs:
	@scripts/docs

# Twenty rounds of every race; UPDATE_DOCS=1 also writes docs/interop.md.
interop: setup
	@mkdir -p out
	CI=true RACE_ROUNDS=20 INTEROP_TABLE='$(CURDIR)/out/interop.md' $(GO) test -count=1 -timeout 30m ./interop
	@cat out/interop.md
