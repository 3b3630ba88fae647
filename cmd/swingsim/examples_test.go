package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/internal/sim"
)

// TestHelpExamplesRun: every command that a help text shows as an example does run,
// in the order in which they stand, each verb's in a directory where the scenario
// that they speak of has been run. Long ones are cut short.
func TestHelpExamplesRun(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/help/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := os.ReadFile("../../internal/sim/scenarios/exchange.yaml")
	program, _ := guest.Program("counter")
	mixed, err := sim.Builtin(simDefault)
	if err != nil {
		t.Fatal(err)
	}
	ran, port := 0, freePort(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, examples, has := strings.Cut(string(text), "Examples:\n")
		if !has {
			continue
		}
		examples, _, _ = strings.Cut(examples, "\n\n")
		dir := t.TempDir()
		write(t, filepath.Join(dir, "mine.yaml"), string(mine))
		write(t, filepath.Join(dir, "mine.wasm"), string(program))
		if err := writePlan(filepath.Join(dir, "sim-7.json"), mixed.Draw(7, 50)); err != nil {
			t.Fatal(err)
		}
		made := swingsim(t, dir, "run", "exchange", "--dir", "state", "--deliveries", "300")
		if out, err := made.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for line := range strings.Lines(examples) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), "  ") // then what it does
			command, _, _ = strings.Cut(command, " > ")
			words := quoted(strings.ReplaceAll(command, ":4100", ":"+port))
			if words[0] != "swingsim" {
				t.Errorf("%s: %q is no command", file, line)
				continue
			}
			words = cutShort(words)
			if strings.Contains(command, "./mine.yaml") && words[1] == "run" {
				words = append(words, "--dir", "mine")
			}
			cmd := swingsim(t, dir, words[1:]...)
			if ran++; strings.Contains(command, "--listen ") {
				defer serving(t, cmd)()
				continue
			}
			out, err := cmd.CombinedOutput()
			answer := cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitFailure &&
				finders[words[1]]
			if err != nil && !answer {
				t.Errorf("%s: %s: %v: %s", file, command, err, out)
			}
		}
	}
	if ran < 15 {
		t.Errorf("%d examples", ran)
	}
}

// finders are verbs that look for something: exit code 1 is an answer like any other.
var finders = map[string]bool{"explore": true, "shrink": true}

// cutShort returns a command that takes less time: fewer deliveries, runs and rounds, and of
// policies those with few vats in memory, which TestPolicyCheck has run.
func cutShort(words []string) []string {
	bounds := map[string]string{
		"--deliveries": "500", "--runs": "5", "--rounds": "2", "--scale": "0.01",
	}
	given := map[string]bool{}
	for i, w := range words {
		if given[w] = true; bounds[w] != "" && words[i+1] != "1" {
			words[i+1] = bounds[w]
		}
	}
	switch {
	case words[1] == "policy":
		words = slices.DeleteFunc(words, func(w string) bool { return w == "--check" })
		return append(words, "--vats", "2")
	case words[1] == "explore" && given["--order"]:
		return append(words, "--deliveries", "300")
	case words[1] == "explore":
		return append(words, "--orders", "3")
	case words[1] == "run" && !given["--deliveries"] && len(words) > 2:
		return append(words, "--deliveries", "400")
	case given["surface"] && !given["--rounds"] && words[1] == "bench":
		return append(words, "--rounds", "2", "--heap", "2", "--dirty", "1", "--suffix", "0")
	case words[1] == "bench" && !given["--scale"] && !given["surface"] && !given["compare"] &&
		!given["regions"]:
		words = append(words, "--scale", "0.01")
		if strings.HasPrefix(words[2], "-") && !given["--trace"] {
			words = append(words, "evict") // not all cases
		}
	}
	return words
}

// quoted splits a command line as a shell does, as far as examples need it.
func quoted(line string) (words []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// freePort returns a port that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serving starts a command that goes on until it is interrupted, as what it returns does.
func serving(t *testing.T, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			t.Errorf("%v: %v", cmd.Args, err)
		}
	}
}

// TestArguments: every verb refuses arguments that it does not have, and misses
// those that it needs, with code 2 and its own name.
func TestArguments(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"run a b", "scenarios a", "scenarios show", "scenarios show a b", "status a", "vats a", "transcript",
		"transcript a b", "snapshots a b", "snapshot", "snapshot a b", "replay", "replay a b", "check a", "version a", "export", "export a b", "import", "import a b", "prune a",
		"export a --mode x", "export a --vat b --since c", "import a --root x", "run --max-vats",
		"status --nothing", "transcript a --from x", "transcript a --from -1", "replay a --from",
		"send", "send v1", "send v1 read --deliveries x", "create", "create a b c", "terminate", "terminate a b",
		"quarantine", "release", "release a b", "clist", "clist a b", "queue a", "promises --limit x", "objects --limit",
		"run --deliveries -5", "run --block x", "vats --json=maybe", "--dir",
	} {
		words := strings.Fields(line)
		code, out, errs := output(t, words...)
		name := words[0]
		if strings.HasPrefix(name, "-") {
			name = ""
		}
		want := strings.TrimSpace("swingsim " + name)
		if code != exitUsage || out != "" || !strings.Contains(errs, want) || !strings.Contains(errs, "--help says what there is") {
			t.Errorf("%s: code %d, %q, %q", line, code, out, errs)
		}
	}
}

// TestLogJSON: the log is lines of JSON, one for every crank, whose numbers have no
// gap, and one for every block; the last one has the activityhash of the summary.
func TestLogJSON(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.json")
	code, out, errs := output(t, "run", "ring", "--deliveries", "900", "--json", "--log-json", path, "-v")
	if code != exitOK || !strings.Contains(errs, "level=INFO msg=block") || strings.Contains(errs, "msg=crank") {
		t.Fatalf("code %d: %.300s", code, errs)
	}
	var sum summary
	if err := json.Unmarshal([]byte(out), &sum); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cranks, deliveries, blocks, hash := uint64(0), uint64(0), uint64(0), ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			Msg, Kind, Activityhash string
			Crank                   uint64
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		switch line.Msg {
		case "crank":
			if cranks++; line.Crank != cranks {
				t.Fatalf("crank %d where %d is due", line.Crank, cranks)
			}
			if line.Kind == "delivery" {
				deliveries++
			}
		case "block":
			blocks++
			hash = line.Activityhash
		}
	}
	if cranks != sum.Cranks || deliveries != sum.Deliveries || blocks < 5 || hash != sum.Activityhash {
		t.Errorf("%d cranks, %d deliveries, %d blocks, %s: the summary has %d, %d, %d, %s",
			cranks, deliveries, blocks, hash, sum.Cranks, sum.Deliveries, sum.Blocks, sum.Activityhash)
	}
}

// TestQuietAndColours: with --quiet a run prints its summary and nothing else;
// nothing that is printed where there is no terminal has an escape in it.
func TestQuietAndColours(t *testing.T) {
	t.Parallel()
	dir := directory(t, "counter", "--deliveries", "30")
	for _, words := range [][]string{
		{"run", "counter", "--deliveries", "30"}, {"run"}, {"status"}, {"vats"}, {"transcript", "v1"},
		{"snapshots"}, {"snapshot", "v1"}, {"replay", "v1"}, {"check"}, {"prune"}, {"scenarios"}, {"version"}, {"queue"}, {"promises"}, {"objects"},
		{"clist", "v1"}, {"what-if", "v1", "incr", "1"}, {"send", "v1", "incr", "1"}, {"send", "v1", "incr", "1", "--no-run"},
		{"quarantine", "v1"}, {"send", "v1", "incr", "1"}, {"queue"}, {"promises"}, {"release", "v1"},
		{"create", "counter", "x"}, {"terminate", "x"},
	} {
		code, out, errs := output(t, append(words, "--dir", dir, "--quiet")...)
		if code != exitOK || errs != "" || out == "" {
			t.Errorf("%v: code %d, %q", words, code, errs)
		}
		if strings.ContainsAny(out, "\x1b\r\t") {
			t.Errorf("%v prints %q", words, out)
		}
		for line := range strings.Lines(out) {
			if strings.HasSuffix(line, " \n") {
				t.Errorf("%v: a line ends in space: %q", words, line)
			}
		}
	}
}

// TestMemoryOnlyNeedsAScenario: what goes on, or looks into something, needs a
// directory; run alone lists the scenarios.
func TestMemoryOnlyNeedsAScenario(t *testing.T) {
	t.Parallel()
	code, out, errs := output(t, "run")
	if code != exitOK || !strings.Contains(out, "exchange    200  64 traders") || !strings.Contains(errs, "runs one") {
		t.Errorf("run: code %d, %q, %q", code, out, errs)
	}
	for _, words := range [][]string{
		{"status"}, {"vats"}, {"transcript", "v1"}, {"snapshots"}, {"snapshot", "v1"}, {"replay", "v1"}, {"check"},
		{"send", "v1", "read"}, {"terminate", "v1"}, {"quarantine", "v1"}, {"release", "v1"}, {"promises"}, {"objects"},
		{"clist", "v1"}, {"queue"}, {"what-if", "v1", "read"},
		{"prune"}, {"export", "out"},
	} {
		code, _, errs := output(t, words...)
		if code != exitUsage || !strings.Contains(errs, "it needs --dir DIRECTORY: one that swingsim run made") {
			t.Errorf("%v: code %d, %q", words, code, errs)
		}
	}
}
