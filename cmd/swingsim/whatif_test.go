package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhatIfIsWhatSendDoes: over messages to all kinds of vats, what-if tells the
// activityhash, the answer and the deliveries that send then brings about; and what it
// says came and went is what objects and promises list before and after.
func TestWhatIfIsWhatSendDoes(t *testing.T) {
	t.Parallel()
	dir := directory(t, "exchange", "--deliveries", "400")
	listed := func() map[string]bool {
		refs := map[string]bool{}
		var o listedObjects
		var p listedPromises
		parsed(t, &o, "objects", "--limit", "100000", "--dir", dir)
		parsed(t, &p, "promises", "--limit", "100000", "--dir", dir)
		for _, one := range o.Objects {
			refs[one.Object] = true
		}
		for _, one := range p.Promises {
			refs[one.Promise] = true
		}
		return refs
	}
	before := listed()
	changed := 0
	for i, message := range []string{
		"mint.0 audit", "trader.0 tick sell 30 4", "trader.1 tick buy 31 2", "trader.4 tick buy 40 9", "trader.0 cancel",
		"base.0 facet", "base.1 withdraw 10", "base.2 withdraw 99999999999", "book.0 place buy 1", "mint.1 nothing", "ko20 audit",
	} {
		words := strings.Fields(message)
		var would whatIf
		parsed(t, &would, append([]string{"what-if", "--dir", dir}, words...)...)
		var did sent
		parsed(t, &did, append([]string{"send", "--dir", dir}, words...)...)
		if would.Activityhash != did.Activityhash || fmt.Sprint(would.Messages) != fmt.Sprint([]answered{did.answered}) ||
			would.RanDeliveries != did.RanDeliveries || would.RanCranks != did.RanCranks || would.Before == would.Activityhash {
			t.Errorf("%s:\nwould %+v\ndid   %+v", message, would, did)
		}
		deliveries := uint64(0)
		for _, v := range would.Vats {
			deliveries += v.Deliveries
		}
		if deliveries != would.RanDeliveries {
			t.Errorf("%s: %d deliveries, by vats %d", message, would.RanDeliveries, deliveries)
		}
		after := listed()
		for _, ref := range append(would.ObjectsMade, would.PromisesMade...) {
			if before[ref] || !after[ref] {
				t.Errorf("%s: %s is said to be made", message, ref)
			}
			before[ref] = true
			changed++
		}
		for _, ref := range append(would.ObjectsGone, would.PromisesGone...) {
			if !before[ref] || after[ref] {
				t.Errorf("%s: %s is said to go", message, ref)
			}
			delete(before, ref)
			changed++
		}
		if fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%d, %s: something else came or went", i, message)
		}
	}
	if changed < 10 {
		t.Errorf("%d objects and promises came or went: too few", changed)
	}
	if code, _, errs := output(t, "check", "--dir", dir); code != exitOK {
		t.Error(errs)
	}
}

// parsed runs a verb with --json and reads what it prints.
func parsed(t *testing.T, v any, args ...string) {
	t.Helper()
	code, out, errs := output(t, append(args, "--json")...)
	if code != exitOK {
		t.Fatalf("%v: code %d: %s", args, code, errs)
	}
	if err := json.Unmarshal([]byte(out), v); err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
}

// TestTooLarge: what is beyond a limit is refused by every verb that sends, and
// nothing changes.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	dir := directory(t, "counter", "--deliveries", "30")
	var was, is status
	parsed(t, &was, "status", "--dir", dir)
	long := strings.Repeat("x", 250<<10)
	many := strings.TrimSuffix("["+strings.Repeat("ref:v1, ", 1025), ", ") + "]"
	script := filepath.Join(t.TempDir(), "script")
	write(t, script, "v1 incr "+strings.Repeat("y", 300<<10)+"\n")
	for want, args := range map[string][]string{
		"a body of 1280026 bytes, limit 1048576":      {"send", "v1", "incr", long, long, long, long, long},
		"1025 slots, limit 1024":                      {"send", "v1", "incr", many},
		"1025 references, limit 1024":                 {"create", "counter", "x", "--arg", many},
		"argument 1 has 307200 bytes, limit 262144":   {"send", "v1", "incr", strings.Repeat("x", 300<<10)},
		"a method name of 2000 bytes, limit 1024":     {"send", "v1", strings.Repeat("m", 2000)},
		"a body of 1280026 bytes, limit 1048576 ":     {"what-if", "v1", "incr", long, long, long, long, long},
		"want a file of at most 262144":               {"what-if", "--script", script},
		"--reason of 1001 bytes":                      {"terminate", "v1", "--reason", strings.Repeat("r", 1001)},
		"a name of 201 bytes, limit 200":              {"create", "counter", strings.Repeat("n", 201)},
		"a body of 1280026 bytes, limit 1048576  ":    {"create", "counter", "x", "--arg", long, "--arg", long, "--arg", long, "--arg", long, "--arg", long},
		"method \"\\xff\" is not UTF-8 text":          {"send", "v1", "\xff"},
		"it is not UTF-8 text":                        {"send", "v1", "incr", "\xff"},
		"--reason of 1 bytes: want text of at most 1": {"terminate", "v1", "--reason", "\xff"},
	} {
		code, out, errs := output(t, append(args, "--dir", dir)...)
		if code == exitOK || out != "" || !strings.Contains(errs, strings.TrimSpace(want)) {
			t.Errorf("%s: code %d, %.300s%.300s", want, code, out, errs)
		}
	}
	if parsed(t, &is, "status", "--dir", dir); is.Activityhash != was.Activityhash || is.Vats != was.Vats || is.Queued != 0 {
		t.Errorf("%+v is now %+v", was, is)
	}
}

// TestShort: what tables show of long texts, keys and values.
func TestShort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "a\x1bb": "a\ufffdb", strings.Repeat("é", 60): strings.Repeat("é", 60),
		strings.Repeat("é", 61): strings.Repeat("é", 59) + "…",
	} {
		if got := short(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"": "0x", "abc": `"abc"`, "a\"b": `"a\"b"`, "\x00\xff": "0x00ff", "é": `"é"`, "\u202e": "0xe280ae",
		strings.Repeat("k", 30):  `"` + strings.Repeat("k", 24) + `"… (30 bytes)`,
		strings.Repeat("\n", 25): "0x" + strings.Repeat("0a", 24) + "… (25 bytes)",
	} {
		if got := showBytes([]byte(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestQuarantineIsAdvised: a verb that cannot run a vat says how to go on without it,
// and that works.
func TestQuarantineIsAdvised(t *testing.T) {
	t.Parallel()
	dir := directory(t, "counter", "--deliveries", "30")
	codes, err := filepath.Glob(filepath.Join(dir, "heaps", "code", "*"))
	if err != nil || len(codes) != 1 {
		t.Fatalf("%v, %v", codes, err)
	}
	if err := os.Rename(codes[0], codes[0]+".away"); err != nil {
		t.Fatal(err)
	}
	code, _, errs := output(t, "send", "v1", "read", "--dir", dir)
	if code != exitFailure || !strings.Contains(errs, "go on without the vat: swingsim quarantine v1 --dir "+dir) {
		t.Fatalf("code %d: %s", code, errs)
	}
	if code, out, errs := output(t, "quarantine", "v1", "--dir", dir); code != exitOK || !strings.Contains(out, "held, 0 events waiting") {
		t.Fatalf("code %d: %s%s", code, out, errs)
	}
	if code, out, errs := output(t, "send", "v1", "read", "--dir", dir, "--json"); code != exitOK || !strings.Contains(out, `"queued":0`) {
		t.Fatalf("code %d: %s%s", code, out, errs)
	}
	if err := os.Rename(codes[0]+".away", codes[0]); err != nil {
		t.Fatal(err)
	}
	output(t, "release", "v1", "--dir", dir)
	code, out, errs := output(t, "send", "v1", "read", "--dir", dir, "--json")
	if code != exitOK || !strings.Contains(out, `"ran_deliveries":3`) {
		t.Fatalf("code %d: %s%s", code, out, errs)
	}
}
