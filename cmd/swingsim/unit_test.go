package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// TestNumbersForPeople: thousands apart, sizes in units and exactly, nouns that
// agree.
func TestNumbersForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", -1234: "-1,234", -123: "-123", 1234567: "1,234,567",
	} {
		if got := grouped(n); got != want {
			t.Errorf("grouped %d: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{
		0: "0 bytes", 1023: "1,023 bytes", 1024: "1.0 KiB (1,024 bytes)", 1536: "1.5 KiB (1,536 bytes)",
		5 << 20: "5.0 MiB (5,242,880 bytes)", 3 << 40: "3.0 TiB (3,298,534,883,328 bytes)",
		1 << 52: "4096.0 TiB (4,503,599,627,370,496 bytes)",
	} {
		if got := size(n); got != want {
			t.Errorf("size %d: %s, want %s", n, got, want)
		}
	}
	if got := count(1, "vat", "vats") + ", " + count(2000, "vat", "vats"); got != "1 vat, 2,000 vats" {
		t.Error(got)
	}
}

// TestNothingReachesTheTerminal: what a vat says as its last words, as the name of a
// method, or in a body, is shown without what a terminal would obey, by all verbs.
func TestNothingReachesTheTerminal(t *testing.T) {
	t.Parallel()
	if got := plain("a\x1b[2J\u202eé\n\tb"); got != "a\ufffd[2J\ufffdé\ufffd\ufffdb" {
		t.Errorf("%q", got)
	}
	path := filepath.Join(t.TempDir(), "loud.yaml")
	write(t, path, "about: a\nseed: s\nvats:\n  - {name: a, program: puppet}\n  - {name: b, program: puppet}\n"+
		"setup:\n  - {to: a, method: do, args: [[1, {hex: 85636f2b3065611b5b324a418080f6}], [log, 3, \"\\e[2J\"]]}\n"+
		"  - {to: b, method: do, args: [[fail, \"\\e[2Jlast words\"]]}\n"+
		"audit: {ask: [{to: b, method: \"read\", answers: [x]}]}\n")
	dir := filepath.Join(t.TempDir(), "st")
	code, all, errs := output(t, "run", path, "--dir", dir)
	if code != exitFailure || !strings.Contains(all, "last words") {
		t.Fatalf("code %d: %s%s", code, all, errs)
	}
	for _, words := range []string{"status", "vats", "transcript a", "transcript b", "snapshots", "check", "vats --json",
		"send b read", "send a do [log,3,x]", "quarantine a", "send a \x1b[2J \x1b[3J --no-run", "queue", "send a x", "queue", "promises",
		"objects", "clist a", "what-if a \x1b[2J", "release a", "terminate a --reason \x1b[2J", "vats"} {
		_, out, errs := output(t, append(strings.Fields(words), "--dir", dir)...)
		all += out + errs
	}
	if !strings.Contains(all, "send o+0.a\ufffd[2J(") {
		t.Errorf("the loud method is not shown: %s", all)
	}
	if strings.ContainsAny(all, "\x1b\b") {
		t.Errorf("an escape gets through: %q", all)
	}
}

// flagsOf parses the flags of run.
func flagsOf(t *testing.T, args ...string) *runFlags {
	t.Helper()
	var r runFlags
	c := &cobra.Command{}
	r.register(c)
	if err := c.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return &r
}

// TestRunOptions: every flag reaches its option; what is not given comes from the
// scenario, and what that does not give is left to the host.
func TestRunOptions(t *testing.T) {
	t.Parallel()
	s := &sim.Scenario{Options: sim.Options{MaxVats: 20, SnapshotInitial: 3, SnapshotInterval: 30, Block: 40}}
	show := func(o *host.Options) string {
		return strings.TrimSpace(fmt.Sprintln(o.MaxVats, o.MaxBytes, o.Snapshots, o.Evict, o.KeepSnapshots, o.PauseOnEvict, o.Preload,
			o.BlockCranks, o.Interpreter, o.Memory, o.Detector, o.NoSync, o.Inline))
	}
	for _, c := range []struct {
		args string
		of   *sim.Scenario
		want string
	}{
		{"", &sim.Scenario{}, "0 0 count:2/200 lru 0 false false 0 false mapped scan false false"},
		{"", s, "20 0 count:3/30 lru 0 false false 40 false mapped scan false false"},
		{"--max-vats 5 --snapshots never --evict arc --block 7", s,
			"5 0 never arc 0 false false 7 false mapped scan false false"},
		{"--max-bytes 9 --keep-snapshots 4 --pause-on-evict --preload --engine interpreter --memory copied " +
			"--detector pagemap --no-sync --inline --snapshots fuel:8e3", s,
			"20 9 fuel:8000 lru 4 true true 40 true copied pagemap true true"},
	} {
		o, err := flagsOf(t, strings.Fields(c.args)...).options(c.of)
		if err != nil || show(o) != c.want {
			t.Errorf("%s:\ngot  %s, %v\nwant %s", c.args, show(o), err, c.want)
		}
	}
}

// TestExitCodes: what each kind of error means to who called, and what is said.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{nil, 0, ""},
		{errReported, 1, ""},
		{errInterrupted, 130, ""},
		{context.Canceled, 130, "swingsim: context canceled\n"},
		{usagef("no"), 2, "swingsim: no\nswingsim --help says what there is\n"},
		{errors.New("boom"), 1, "swingsim: boom\n"},
		{fmt.Errorf("x: %w", host.ErrInUse), 1, "another swingsim has it open"},
		{host.ErrFormat, 1, "give another --dir"},
		{host.ErrOptions, 1, "swingsim status --dir st says what made it"},
		{sim.ErrOther, 1, "swingsim status --dir st says what made it"},
		{host.ErrCorrupt, 1, "swingsim check --dir st looks for more"},
		{poisonedError{errors.New("write: no space")}, 1, "write: no space\nthe directory has the state of the last block"},
		{noDirectoryError{errors.New("nothing")}, 1, "swingsim run SCENARIO --dir st makes it"},
		{&host.VatError{Vat: "v7", Err: errors.New("gone")}, 1, "vat v7: gone\neverything before is kept. Run it again"},
		{&host.VatError{Vat: "v7", Err: host.ErrCorrupt}, 1, "swingsim check --dir st says what is damaged; or go on without the vat"},
		{&noVatError{"x", "st"}, 1, "there is no vat \"x\""},
		{&sim.NameError{Name: "x"}, 1, "swingsim vats --dir st lists the vats"},
	} {
		var errs bytes.Buffer
		a := &app{err: &errs, dir: "st", started: true}
		code := a.finish(&cobra.Command{Use: "swingsim"}, c.err)
		if code != c.code || !strings.Contains(errs.String(), c.says) || (c.says == "") != (errs.Len() == 0) {
			t.Errorf("%v: code %d, %q, want %d, %q", c.err, code, errs.String(), c.code, c.says)
		}
		errs.Reset()
		a.quiet = true
		if a.finish(&cobra.Command{Use: "swingsim"}, c.err); c.code == 1 && strings.Count(errs.String(), "\n") > 1 {
			t.Errorf("quiet: %v says %q", c.err, errs.String())
		}
	}
}

// TestEndsCleanly: a run in this process, cancelled before it begins, says so, and
// leaves a directory that goes on.
func TestEndsCleanly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "st")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"run", "counter", "--dir", dir}, &out, &errs); code != exitInterrupted {
		t.Errorf("code %d: %s", code, errs.String())
	}
	code, o, e := output(t, "run", "counter", "--dir", dir, "--quiet")
	if code != exitOK || !strings.Contains(o, "activityhash ") {
		t.Errorf("code %d: %s", code, e)
	}
}

// TestTableIsPlain: columns stand under their names, numbers to the right, and no
// line ends in space.
func TestTableIsPlain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{out: &out}
	a.grid([]string{"name", ">n", "about"}, [][]string{{"a", "1", "x"}, {"long", "22,000", ""}})
	want := "name       n  about\na          1  x\nlong  22,000\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestNothingIsMade: no verb but run and create makes a directory, whatever it is
// asked, and these only if nothing is wrong.
func TestNothingIsMade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "st")
	for _, words := range [][]string{
		{"status"}, {"vats"}, {"transcript", "v1"}, {"snapshots"}, {"snapshots", "v1"}, {"replay", "v1"},
		{"check"}, {"run"}, {"run", "none"}, {"run", "./none.yaml"}, {"run", "counter", "--engine", "x"},
		{"run", "counter", "--hold", "x"}, {"send", "v1", "read"}, {"terminate", "v1"}, {"quarantine", "v1"},
		{"release", "v1"}, {"promises"}, {"objects"}, {"clist", "v1"}, {"queue"}, {"what-if", "v1", "read"},
		{"create", "none"}, {"create", "./none.wasm"}, {"create", "counter", "a b"}, {"create", "counter", "v7"},
		{"create", "counter", "x", "--arg", "ref:y"}, {"create", "counter", "x", "--arg", "[1"},
	} {
		code, _, errs := output(t, append(words, "--dir", dir)...)
		if _, err := os.Stat(dir); code == exitOK || !os.IsNotExist(err) {
			t.Errorf("%v: code %d, %v: %s", words, code, err, errs)
		}
	}
}
