package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"vatwarehouse/test/faults"
)

// fuzzTest stands where a class has the name of its test, and fuzzClass is that class.
const (
	fuzzTest  = "fuzz"
	fuzzClass = "F13"
)

// target is one fuzz test.
type target struct{ pkg, name string }

// targets lists the fuzz tests of the module.
func targets(ctx context.Context) (all []target, err error) {
	out, err := exec.CommandContext(ctx, "git", "grep", "-ho", "--name-only", "-E",
		"^func Fuzz[A-Za-z0-9]+", "--", "*_test.go").Output()
	if err != nil {
		return nil, fmt.Errorf("list fuzz tests: %w", err)
	}
	for _, file := range strings.Fields(string(out)) {
		dir := "."
		if i := strings.LastIndexByte(file, '/'); i >= 0 {
			dir = "./" + file[:i]
		}
		text, err := exec.CommandContext(ctx, "grep", "-oE", "^func Fuzz[A-Za-z0-9]+", file).
			Output()
		if err != nil {
			return nil, fmt.Errorf("list fuzz tests of %s: %w", file, err)
		}
		for line := range strings.Lines(string(text)) {
			all = append(all, target{dir, strings.TrimPrefix(strings.TrimSpace(line), "func ")})
		}
	}
	return all, nil
}

// fuzzRecorded fuzzes every target for so long, and records how many inputs there were.
func fuzzRecorded(ctx context.Context, each, file string) error {
	begun := time.Now()
	rec := faults.Record{Class: fuzzClass}
	all, err := targets(ctx)
	for i := 0; i < len(all) && err == nil; i++ {
		var inputs int
		inputs, err = fuzz(ctx, all[i], each)
		fmt.Printf("%-22s %-18s %9d inputs\n", all[i].pkg, all[i].name, inputs)
		rec.Trials += inputs
	}
	rec.Failed, rec.Seconds = err != nil, time.Since(begun).Seconds()
	if failed := rec.Append(file); err == nil {
		err = failed
	}
	return err
}

var execs = regexp.MustCompile(`execs: (\d+)`)

// fuzz fuzzes one target and returns how many inputs it was given. It starts from the
// target's own seeds: to go through what earlier runs have found would take its time, and so
// would making every interesting input as small as can be.
func fuzz(ctx context.Context, x target, each string) (inputs int, err error) {
	found, err := os.MkdirTemp("", "fuzz")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(found)) }()
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+x.name+"$",
		"-fuzztime", each, "-fuzzminimizetime", "10x", "-timeout", "0", x.pkg, "-args",
		"-test.fuzzcachedir="+found)
	out, err := cmd.CombinedOutput()
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		if m := execs.FindStringSubmatch(lines.Text()); m != nil {
			inputs, _ = strconv.Atoi(m[1]) // digits
		}
	}
	if err != nil && !timeWasUp(string(out)) {
		return inputs, fmt.Errorf("%s in %s: %w\n%s", x.name, x.pkg, err, out)
	}
	if inputs == 0 {
		return 0, fmt.Errorf("%s in %s was given nothing in %s", x.name, x.pkg, each)
	}
	return inputs, nil
}

// timeWasUp tells whether what go test failed with is its own end of time, which up to Go 1.27
// it sometimes takes for a failure (golang/go#75804): that names no input and no test's words.
func timeWasUp(out string) bool {
	_, told, _ := strings.Cut(out, "--- FAIL: ")
	_, told, _ = strings.Cut(told, "\n")
	return strings.HasPrefix(told, "    context deadline exceeded\nFAIL\n")
}
