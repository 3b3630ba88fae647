# What go test ./... does not do. docs/reliability.md says what the classes are.

RESULTS = test/results.md

.PHONY: long
# Tries each class of faults at its long count, and appends what came of it to RESULTS:
#   make long                                all of them, for hours
#   make long CLASSES="F1 F8" SEED=7         some, drawn with another seed
#   make long TRIALS=1000 FUZZTIME=5s        so many of each
long:
	go run ./test/faults/run long $(RESULTS) -seed $(or $(SEED),1) \
		-trials $(or $(TRIALS),0) -fuzztime $(or $(FUZZTIME),5m) $(CLASSES)

# Where to write what bench measured.
BENCHED = bench/new.json

.PHONY: compare
# Measures what bench/baseline.json has, and says what differs. It informs and fails nothing:
# on another machine than the baseline's only ratios to floors can be compared.
compare:
	go run ./cmd/swingsim bench page-in snapshot evict deliver deliver-sync replay thrash \
		--save $(BENCHED)
	go run ./cmd/swingsim bench compare bench/baseline.json $(BENCHED)
