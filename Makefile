# Everything that people and CI run. `make` builds, `make test` proves.

GO        ?= go
FUZZTIME  ?= 20s
LINT       = $(CURDIR)/bin/golangci-lint

.PHONY: build test race lint fuzz bench bench-owner bench-detect example clean

build:
	$(GO) build -o bin/postern ./cmd/postern

test:
	$(GO) vet ./...
	$(GO) test ./...

# What does several things at once, under the race detector, without the tests
# that are long even without it.
race:
	$(GO) test -race -short ./internal/pipeline ./internal/source ./internal/store/duckdb ./internal/decode ./internal/owner

lint: $(LINT)
	$(LINT) run ./...
	$(GO) mod tidy -diff
	test -z "$$(gofmt -l cmd internal *.go)"

$(LINT): tools/go.mod tools/go.sum
	cd tools && $(GO) build -o $(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# Each fuzz target for FUZZTIME.
fuzz:
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$pkg || exit 1; \
		done; \
	done

# The hot paths, and then one whole hunt over 1 M flows and 1 M connects, with
# its rate and its peak memory.
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./internal/...
	$(GO) run ./internal/bench -flows 1000000

# How right the join is when evidence is hidden. Add ARGS=-soak for ten million
# flows.
bench-owner:
	$(GO) run ./internal/bench/owner $(ARGS)

# What the ranking finds in simulated fleets whose attacks are known. ARGS as in
# "-hosts 20 -seeds 6", "-mode daily", "-shifted", "-fit".
bench-detect:
	$(GO) run ./internal/bench/detect $(ARGS)

# The example estate, byte for byte as it is committed.
example:
	$(GO) run ./internal/simulate/gen -scenario office -seed 1 -o examples/office

clean:
	rm -rf bin
