package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/internal/sim"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// TestTwinVerb: two kernels of every built-in scenario do the same, for people and for
// programs, and leave nothing behind.
func TestTwinVerb(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	for _, name := range sim.BuiltinNames() {
		var found twins
		parsed(t, &found, "twin", name, "--deliveries", "150", "--seed", "other")
		least := uint64(150)
		if name == "race" { // it ends by itself
			least = 50
		}
		if !found.Alike || found.Difference != nil || found.Deliveries < least || found.Vats == 0 || found.Pages == 0 ||
			found.Scenario != name || found.Seed != "other" || found.First.Engine == found.Second.Engine || len(found.Activityhash) != 64 {
			t.Errorf("%s: %+v", name, found)
		}
	}
	code, out, errs := output(t, "twin", "counter", "--deliveries", "100", "--max-vats", "3")
	if code != exitOK || errs != "" || !strings.Contains(out, "The two kernels did the same.\n") ||
		!strings.Contains(out, "at most 3") || !strings.Contains(out, "interpreter") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// astray is a timer whose third answer is wrong.
type astray struct {
	devices.Timer
	calls *int
}

func (f astray) Call(
	d *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (swing.CapData[swing.KRef], error) {
	answer, err := f.Timer.Call(d, method, args)
	if *f.calls++; *f.calls == 3 {
		answer.Body = swing.AppendUint(swing.AppendArray(nil, 1), 77)
	}
	return answer, err
}

// TestTwinVerbNamesTheSyscall: a difference is named by vat, position, syscall and memory
// page, and is exit code 1.
func TestTwinVerbNamesTheSyscall(t *testing.T) {
	t.Parallel()
	try := func(args ...string) (code int, out, errs string) {
		var o, e bytes.Buffer
		a := &app{out: &o, err: &e, plant: func(o *sim.TwinOptions) {
			o.Second.Devices = devices.All()
			o.Second.Devices["timer"] = astray{calls: new(int)}
		}}
		root := a.root()
		root.SetArgs(append([]string{"twin", "locker"}, args...))
		c, err := root.ExecuteContextC(t.Context())
		return a.finish(c, err), o.String(), e.String()
	}
	code, out, errs := try("--json")
	var found twins
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatal(err)
	}
	d := found.Difference
	if code != exitFailure || found.Alike || d == nil || d.Vat == "" || d.Position == 0 || d.Page == nil || d.Pages == 0 ||
		d.Crank != found.Cranks+1 || !strings.HasPrefix(d.Where, "syscall ") || !strings.Contains(d.Second, "[77]") {
		t.Fatalf("code %d: %s%s", code, out, errs)
	}
	code, out, errs = try()
	if code != exitFailure || !strings.Contains(errs, "the two kernels differ") {
		t.Errorf("code %d: %s", code, errs)
	}
	for _, want := range []string{
		"first difference\n", "  vat                " + d.Vat + "\n", "  position           ", "  where              " + d.Where + "\n",
		"[77]", "  memory after it    page ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// TestTwinVerbRefuses: what cannot be run in two kernels is refused before anything is made.
func TestTwinVerbRefuses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	for want, args := range map[string][]string{
		"twin keeps nothing":   {"counter", "--dir", dir},
		"--max-vats 0":         {"counter", "--max-vats", "0"},
		"accepts 1 arg":        {},
		"invalid argument":     {"counter", "--deliveries", "x"},
		"built in are counter": {"nothing"},
	} {
		code, out, errs := output(t, append([]string{"twin"}, args...)...)
		if code == exitOK || out != "" || !strings.Contains(errs, want) || want[0] != 'b' && code != exitUsage {
			t.Errorf("%v: code %d: %s%s", args, code, out, errs)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error(err)
	}
}
