# Wharfinger. `make` alone prints what there is.
#
# Every step prints one line with its duration; when one fails, all that it said
# is shown. VERBOSE=1 shows everything. Steps may run in parallel (make -j).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash

# Versions of the tools that are built here. A new version here is all that is needed.
GOLANGCI_VERSION  := v2.15.0
SQLC_VERSION      := v1.31.1
GOTESTSUM_VERSION := v1.13.0
VERSITYGW_VERSION := v1.8.0

# One set of flags for every go command, so that all of them share one build cache.
export GOFLAGS     := -trimpath
export CGO_ENABLED := 0
export GOTOOLCHAIN := local

ROOT := $(CURDIR)
export PATH := $(ROOT)/.tools/node:$(ROOT)/.tools/bin:$(PATH)

STAMP := .tools/stamp
STEP  := @scripts/step

NODE      := $(STAMP)/node
MODULES   := $(STAMP)/modules
PACKAGES  := $(STAMP)/packages
GOLANGCI  := $(STAMP)/golangci-lint-$(GOLANGCI_VERSION)
SQLC      := $(STAMP)/sqlc-$(SQLC_VERSION)
GOTESTSUM := $(STAMP)/gotestsum-$(GOTESTSUM_VERSION)
VERSITYGW := $(STAMP)/versitygw-$(VERSITYGW_VERSION)
WEB_DEPS  := web/node_modules/.package-lock.json
WEB_DIST  := web/dist/index.html
BINARY    := bin/wharf

GO_SOURCES  := $(shell find api client cmd internal web/embed*.go -type f ! -name '*_test.go' 2>/dev/null)
WEB_SOURCES := $(shell find web/src web/public web/index.html web/package.json web/*.config.ts web/tsconfig*.json -type f 2>/dev/null)

# The race detector slows these down without a gain: they start real processes.
PROCESS_TESTS := ./test/e2e/... $(if $(wildcard test/chaos/*.go),./test/chaos/...)
UNIT_PACKAGES  = $$(go list ./... | grep -v -e /test/e2e -e /test/chaos -e /web/node_modules)

##@ Use

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Set everything up, build, and serve ./data on 127.0.0.1:5212
	@$(BINARY) serve

.PHONY: build
build: $(BINARY) ## Build bin/wharf with the web page inside

##@ Check

.PHONY: test
test: ## Everything that must hold before a change is handed in
	@rm -rf .tools/count
	@status=0; $(MAKE) --no-print-directory --keep-going -j$(or $(JOBS),2) all-checks || status=$$?; \
		scripts/total || status=1; exit $$status

# Go looks through web/node_modules for packages, and into web/dist for what it embeds:
# not while npm or Vite fills them.
.PHONY: all-checks
all-checks: $(GOLANGCI) $(WEB_DEPS) web unit lint verify race e2e

.PHONY: lint
lint: $(GOLANGCI) $(MODULES) | $(WEB_DIST) ## Go linters and formatting, shell syntax
	$(STEP) lint-scripts bash -c 'for script; do bash -n "$$script" || exit 1; done' - $(wildcard scripts/*) .ci/run
	$(STEP) lint golangci-lint run

.PHONY: verify
verify: $(SQLC) $(WEB_DEPS) $(MODULES) ## Generated files match their sources, go.mod is tidy
	$(STEP) verify scripts/verify

.PHONY: unit
unit: $(GOTESTSUM) $(VERSITYGW) $(PACKAGES) $(MODULES) | $(WEB_DIST) ## Go tests, with SQLite and PostgreSQL
	$(STEP) unit scripts/with-postgres scripts/gotest unit -timeout 5m $(UNIT_PACKAGES)

.PHONY: race
race: $(GOTESTSUM) $(VERSITYGW) $(PACKAGES) $(MODULES) | $(WEB_DIST) ## The same under the race detector, with fewer random cases
	$(STEP) race env CGO_ENABLED=1 scripts/with-postgres scripts/gotest race -race -short -timeout 10m $(UNIT_PACKAGES) ./test/chaos

.PHONY: store
store: $(GOTESTSUM) $(PACKAGES) ## The store's suite on SQLite and PostgreSQL
	$(STEP) store scripts/with-postgres scripts/gotest store ./internal/store/...

.PHONY: wire
wire: $(GOTESTSUM) ## Golden wire cases against a server in this process
	$(STEP) wire scripts/gotest wire -count=1 ./test/wire/...

.PHONY: web
web: $(WEB_DEPS) ## The web page: types, lint, unit tests
	$(STEP) web-check npm --prefix web run check
	$(STEP) web-test scripts/webtest web-test test

.PHONY: e2e
e2e: e2e-go e2e-web ## The real binary: kill -9, thousands of files, a real browser

.PHONY: e2e-go
e2e-go: $(BINARY) $(GOTESTSUM) $(PACKAGES)
	$(STEP) e2e-go scripts/with-postgres env WHARF_BIN=$(ROOT)/$(BINARY) scripts/gotest e2e-go -count=1 -timeout 20m $(PROCESS_TESTS)

.PHONY: e2e-web
e2e-web: $(BINARY) $(WEB_DEPS) $(PACKAGES) $(VERSITYGW)
	$(STEP) e2e-web scripts/webtest e2e-web e2e

.PHONY: chaos-short
chaos-short: $(BINARY) $(GOTESTSUM) ## One upload (256 MiB, or WHARF_E2E_SIZE) through four kill -9
	$(STEP) chaos env WHARF_BIN=$(ROOT)/$(BINARY) scripts/gotest chaos -count=1 -timeout 60m -run Kill ./test/e2e

.PHONY: chaos
chaos: $(MODULES) ## Every fault of test/chaos in the release numbers (an hour, as root), into docs/RELIABILITY.md
	@scripts/chaos

.PHONY: e2e-big
e2e-big: $(BINARY) $(GOTESTSUM) $(PACKAGES) ## The same with 3 GiB, and 3 GiB through nginx as it comes
	@WHARF_E2E_SIZE=3GiB $(MAKE) --no-print-directory chaos-short
	$(STEP) nginx env WHARF_E2E_SIZE=3GiB WHARF_BIN=$(ROOT)/$(BINARY) scripts/gotest nginx -count=1 -timeout 60m -run Nginx ./test/e2e

.PHONY: bench-link
bench-link: $(BINARY) ## How much of a link of 100 Mbit/s an upload uses (a minute, as root)
	@VERBOSE=1 scripts/step bench-link env WHARF_LINK=1 WHARF_BIN=$(ROOT)/$(BINARY) go test -count=1 -v -run ShapedLink ./test/e2e

.PHONY: cover
cover: ## Statement coverage into coverage/, with a floor for the rooms that guard bytes
	$(STEP) cover scripts/cover

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME (5s)
	$(STEP) fuzz scripts/fuzz $(or $(FUZZTIME),5s)

##@ Measure

# Never part of a check: a machine that is shared tells about itself. Linux only.
.PHONY: bench
bench: $(BINARY) $(VERSITYGW) ## Beside nginx, versitygw and measuring sticks (20 minutes), into docs/PERFORMANCE.md
	@scripts/bench

.PHONY: bench-short
bench-short: $(BINARY) $(VERSITYGW) ## The same in 3 minutes, printed only
	@scripts/bench -short

.PHONY: profile
profile: $(MODULES) ## Processor profile of MODE: small1, small16 (default), big, get, range
	@scripts/profile $(or $(MODE),small16)

##@ Change

.PHONY: generate
generate: $(SQLC) $(WEB_DEPS) ## Write all generated files anew
	@$(MAKE) --no-print-directory generate-now

# Without prerequisites, so that scripts/verify can run it in a copy of the tree.
.PHONY: generate-now
generate-now:
	$(STEP) generate-sql sqlc generate --file internal/store/sqlc.yaml
	$(STEP) generate-go go generate ./...
	$(STEP) generate-web npm --prefix web run generate

.PHONY: fmt
fmt: $(GOLANGCI) ## Format the Go code
	$(STEP) fmt golangci-lint fmt

.PHONY: clean
clean: ## Remove what was built here (not ./data, not the tools' cache)
	rm -rf bin coverage .tools test/e2e/out web/node_modules
	find web/dist -mindepth 1 ! -name .keep -delete

# ---- files ------------------------------------------------------------------

$(BINARY): $(WEB_DIST) $(GO_SOURCES) $(MODULES)
	$(STEP) build go build -o $@ ./cmd/wharf
	@touch $@

$(WEB_DIST): $(WEB_DEPS) $(WEB_SOURCES)
	$(STEP) web-build npm --prefix web run build
	@touch $@

$(WEB_DEPS): web/package-lock.json $(NODE)
	$(STEP) web-packages npm --prefix web ci --no-audit --no-fund --loglevel=error
	@touch $@

$(NODE): scripts/setup
	$(STEP) node scripts/setup node
	@mkdir -p $(@D) && touch $@

$(MODULES): go.mod go.sum
	$(STEP) modules go mod download
	@mkdir -p $(@D) && touch $@

$(PACKAGES): scripts/setup
	$(STEP) packages scripts/setup packages
	@mkdir -p $(@D) && touch $@

$(GOLANGCI):
	$(STEP) golangci-lint scripts/tool golangci-lint $(GOLANGCI_VERSION) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@mkdir -p $(@D) && touch $@

$(SQLC):
	$(STEP) sqlc scripts/tool sqlc $(SQLC_VERSION) github.com/sqlc-dev/sqlc/cmd/sqlc
	@mkdir -p $(@D) && touch $@

$(VERSITYGW):
	$(STEP) versitygw scripts/tool versitygw $(VERSITYGW_VERSION) github.com/versity/versitygw/cmd/versitygw
	@mkdir -p $(@D) && touch $@

$(GOTESTSUM):
	$(STEP) gotestsum scripts/tool gotestsum $(GOTESTSUM_VERSION) gotest.tools/gotestsum
	@mkdir -p $(@D) && touch $@
