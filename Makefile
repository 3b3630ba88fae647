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
