# Three modules: the library (here), the distribution (cmd), and the tests of what leaves the house (tests/integration).
# What is done to one is done to all.

DEMO_SECONDS ?= 15
# A tree without git still builds. The date is the commit's, so that one commit is one binary, byte for byte.
VERSION      ?= $(or $(shell git describe --tags --always --dirty 2>/dev/null),dev)
DATE         ?= $(or $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null),$(shell date -u +%Y-%m-%dT%H:%M:%SZ))
# TAGS=no_kafka leaves Kafka out, and with it the one file that is not open source.
TAGS         ?=
# What make image makes, and with what: buildah, podman or docker.
IMAGE        ?= benthos-pipedrive
IMAGE_TOOL   ?= buildah

GO        ?= go
BINARY    := bin/benthos-pipedrive
# Stripped bytes that the binary may have: 64 MiB.
MAX_BYTES := 67108864
LDFLAGS   := -s -w -X main.version=$(VERSION) -X main.dateBuilt=$(DATE)
# Time zones come along (timetzdata), for images without any. The version is stamped above; asking git again would only add a way to fail.
BUILD     := CGO_ENABLED=0 $(GO) -C cmd build -trimpath -buildvcs=false
TOOLS     := bin/tools

.DEFAULT_GOAL := help
.PHONY: help build demo test image integration bin/image check bench fmt docs clean format vet staticcheck tidy lint size race bench-once alerts

help: ## Print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/benthos-pipedrive (VERSION, TAGS=no_kafka)
	$(BUILD) -tags 'timetzdata $(TAGS)' -ldflags '$(LDFLAGS)' -o ../$(BINARY) ./benthos-pipedrive

demo: build ## Show changes of a simulated Pipedrive arriving, for DEMO_SECONDS (15)
	@$(BUILD) -o ../bin/demo ./demo
	@bin/demo -binary $(BINARY) -config config/demo.yaml -for $(DEMO_SECONDS)s

test: ## Run all tests
	$(GO) test ./...
	$(GO) -C cmd test ./...
	$(GO) -C tests/integration test ./...

image: bin/image ## Build the container image (IMAGE, IMAGE_TOOL=buildah)
	$(IMAGE_TOOL) build --file deploy/Dockerfile --tag $(IMAGE) bin/image

integration: ## Install databases and brokers of Debian, and run the recipes against them
	tests/integration/install.sh
	$(MAKE) bin/image
	$(GO) -C tests/integration test -tags integration -count=1 -timeout 9m ./...

check: format vet staticcheck tidy lint size race bench-once alerts ## Do all that CI does: format, vet, lint, stale docs, import walls, race tests
	$(GO) -C cmd test ./...
	$(GO) -C tests/integration test ./...

bench: build ## Measure side by side, print the figures and write docs/benchmarks.md
	$(GO) run ./tests/bench -binary $(BINARY) -write docs/benchmarks.md -figures bin/figures.json
	$(GO) -C cmd run ./plot -figures ../bin/figures.json -write ../docs/benchmarks.svg

fmt: $(TOOLS) ## Format the Go code
	$(TOOLS)/gofumpt -w .

docs: ## Write the component pages, the editors' schema and the third-party notices anew
	$(GO) test ./tests -run Docs -update
	$(GO) -C cmd test ./benthos-pipedrive -run 'TheSchemaForEditors|Notices' -update

clean: ## Remove what make has built
	rm -rf bin

# What the image is made of.
bin/image: build
	mkdir -p bin/image
	cp $(BINARY) LICENSE THIRD_PARTY_NOTICES.txt /etc/ssl/certs/ca-certificates.crt bin/image

# The parts of check.

format: $(TOOLS)
	@unformatted=$$($(TOOLS)/gofumpt -l .) && if [ -n "$$unformatted" ]; then echo "make fmt would change:"; echo "$$unformatted"; exit 1; fi

vet:
	$(GO) vet ./...
	$(GO) -C cmd vet ./...
	$(GO) -C cmd vet -tags no_kafka ./...
	$(GO) -C tests/integration vet -tags integration ./...
	$(GO) vet -tags prometheus ./tests

staticcheck: $(TOOLS)
	$(TOOLS)/staticcheck ./...
	cd cmd && ../$(TOOLS)/staticcheck ./...
	cd tests/integration && ../../$(TOOLS)/staticcheck -tags integration ./...

tidy:
	$(GO) mod tidy -diff
	$(GO) -C cmd mod tidy -diff
	$(GO) -C tests/integration mod tidy -diff

lint: build
	$(BINARY) lint --skip-env-var-check ./config/...
	$(BINARY) test ./config/...

size: build
	@bytes=$$(wc -c <$(BINARY)) && if [ "$$bytes" -gt $(MAX_BYTES) ]; then echo "$(BINARY) has $$bytes bytes, more than $(MAX_BYTES)"; exit 1; fi

# Stale component pages and broken import walls fail here too: both are tests. The race detector needs a C compiler;
# the library, which has all the concurrency, runs under it, and the distribution without.
race:
	CGO_ENABLED=1 $(GO) test -race ./...

# Benchmarks that nobody runs rot.
bench-once:
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...

# A real Prometheus takes the alert rules and answers every query of the dashboard.
alerts: bin/prometheus
	$(GO) test -tags prometheus ./tests -run Prometheus

bin/prometheus: .ci/prometheus
	.ci/prometheus $@
	@touch $@

# The versions of the tools stand in cmd/go.mod.
$(TOOLS): cmd/go.mod cmd/go.sum
	GOBIN='$(CURDIR)/$(TOOLS)' $(GO) -C cmd install tool
	@touch $(TOOLS)
