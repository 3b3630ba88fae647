package main

import (
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/test/trial"
)

// oldDirectory unpacks a directory that the first rewriter's version made.
func oldDirectory(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	trial.Unpack(t, "../../host/testdata/v2.tar.gz", dir)
	return dir
}

// TestAdopt: a directory that another version has made is refused where vats would be run,
// with what can be done; it can be looked at; a dry run changes nothing; adopted, it goes
// on. So does, alone, a vat that is upgraded instead.
func TestAdopt(t *testing.T) {
	t.Parallel()
	dir := oldDirectory(t)
	refused := func(args ...string) {
		t.Helper()
		code, _, errs := output(t, append(args, "--dir", dir)...)
		for _, says := range []string{"another version", "vat v1 (rewriter 1", "swingsim adopt", "swingsim upgrade"} {
			if code != exitFailure || !strings.Contains(errs, says) {
				t.Errorf("%v: code %d, %s", args, code, errs)
			}
		}
	}
	done := func(args ...string) string {
		t.Helper()
		code, out, errs := output(t, append(args, "--dir", dir)...)
		if code != exitOK {
			t.Errorf("%v: code %d, %s", args, code, errs)
		}
		return out
	}
	refused("send", "c", "incr", "1")
	refused("replay", "c")
	done("status")
	done("vats")
	done("check")
	if out := done("adopt", "--dry-run"); !strings.Contains(out, "v1 c: ") ||
		!strings.Contains(out, "Nothing was changed.") {
		t.Error(out)
	}
	refused("send", "c", "incr", "1")
	if out := done("adopt"); !strings.Contains(out, "\nAdopted ") {
		t.Error(out)
	}
	done("send", "c", "incr", "1")
	done("replay", "c")
	if out := done("adopt"); !strings.Contains(out, "nothing was changed") {
		t.Error(out)
	}
	dir = oldDirectory(t)
	if code, _, errs := output(t, "upgrade", "c", "counter", "--dir", dir); code != exitFailure ||
		!strings.Contains(errs, "another version") { // others are in the way
		t.Errorf("code %d, %s", code, errs)
	}
	if out := done("vats", "--json"); !strings.Contains(out, `"held"`) {
		t.Error(out)
	}
}
