package link_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// careless is a mailbox with a fault: it hands on whatever comes, be it twice, or not the
// next.
type careless struct {
	devices.Mailbox
	doubles, gaps bool
}

// Receive takes a parcel in, as a mailbox must not.
func (m careless) Receive(d *kernel.DeviceContext, data swing.CapData[swing.KRef]) error {
	r := swing.NewReader(data.Body)
	r.Fields(2)
	key := "p." + r.Text()
	parcel := swing.NewReader(r.Bytes())
	parcel.Fields(2)
	parcel.Uint()
	if parcel.Array() > 0 {
		parcel.Fields(2)
		first := parcel.Uint()
		row, _ := d.Get(key)
		p := swing.NewReader(row)
		p.Fields(4)
		handler, sent, acknowledged, taken := p.Text(), p.Uint(), p.Uint(), p.Uint()
		if first <= taken && m.doubles || first > taken+1 && m.gaps {
			row = swing.AppendUint(swing.AppendText(swing.AppendArray(nil, 4), handler), sent)
			d.Set(key, swing.AppendUint(swing.AppendUint(row, acknowledged), first-1))
		}
	}
	return m.Mailbox.Receive(d, data)
}

// TestStormSeesPlantedFaults: a mailbox that takes messages twice, or one that takes them
// across gaps, gives other answers in a storm.
func TestStormSeesPlantedFaults(t *testing.T) {
	t.Parallel()
	const tries, ticks = 5, 6
	for name, faulty := range map[string]careless{"doubles": {doubles: true}, "gaps": {gaps: true}} {
		seen := false
		for seed := uint64(1); seed <= tries && !seen; seed++ {
			want := undisturbed(t, seed, ticks)
			seen = hush(t, func(t testing.TB) {
				if got, _ := stormy(t, seed, ticks, faulty); !slices.Equal(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
			}) > 0
		}
		if !seen {
			t.Errorf("a mailbox that takes %s is not seen", name)
		}
	}
}

// hushed is a test in which nothing fails: it remembers what did.
type hushed struct {
	testing.TB
	faults int
}

// stopped is what a hushed test that can go no further panics with.
type stopped struct{}

func (h *hushed) Errorf(string, ...any) { h.faults++ }
func (h *hushed) Fatal(...any)          { h.faults++; panic(stopped{}) }
func (h *hushed) Fatalf(string, ...any) { h.faults++; panic(stopped{}) }

// hush runs a test in which nothing fails, and returns how many faults it found.
func hush(t *testing.T, test func(t testing.TB)) (faults int) {
	t.Helper()
	h := &hushed{TB: t}
	defer func() {
		if why := recover(); why != nil && why != any(stopped{}) {
			panic(why)
		}
		faults = h.faults
	}()
	test(h)
	return h.faults
}

// planted compiles the comms vat with a text of its source replaced.
func planted(t *testing.T, old, replacement string) []byte {
	t.Helper()
	var made struct{ Clang, Command string }
	manifest, err := os.ReadFile("../../guest/manifest.json")
	if err == nil {
		err = json.Unmarshal(manifest, &made)
	}
	if err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("clang-14", "--version").Output(); err != nil || !bytes.HasPrefix(said, []byte(made.Clang)) {
		t.Skipf("%s is not here: %v", made.Clang, err)
	}
	source, err := os.ReadFile("../../guest/c/comms.c")
	if err != nil || bytes.Count(source, []byte(old)) != 1 {
		t.Fatalf("%q is not there once: %v", old, err)
	}
	dir := t.TempDir()
	file, out := filepath.Join(dir, "comms.c"), filepath.Join(dir, "comms.wasm")
	if err := os.WriteFile(file, bytes.Replace(source, []byte(old), []byte(replacement), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(strings.ReplaceAll(made.Command, "c/NAME.c", file))
	args[slices.Index(args, "-o")+1] = out
	cmd := exec.CommandContext(t.Context(), args[0], append(args[1:], "-I../../guest/c")...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func plantedPair(t testing.TB, code []byte) pair {
	t.Helper()
	return pairOf(newNodeOf(t, "a", host.Options{}, devices.Mailbox{}, code),
		newNodeOf(t, "b", host.Options{}, devices.Mailbox{}, code))
}

// TestPlantedComms: a comms vat that believes every drop, one that never forgets what was
// acknowledged, and one that never says what it holds no more, are each seen.
func TestPlantedComms(t *testing.T) {
	t.Parallel()
	code := planted(t, "x.number > heard)", "x.number > heard + 100)")
	if answer, _ := dropCrossesMention(plantedPair(t, code)); answer == "notify p+1 = [7, 1, 0]" {
		t.Error("a comms vat that believes every drop is not seen")
	}
	for _, x := range [][2]string{
		{"	acknowledged(from);\n", ""},
		{"tell_later(o.owner, DROPPED, o.name);", ""},
	} {
		code := planted(t, x[0], x[1])
		faults := hush(t, func(t testing.TB) {
			for _, leak := range collection(plantedPair(t, code)) {
				t.Errorf("%s", leak)
			}
		})
		if faults == 0 {
			t.Errorf("without %q nothing leaks", x[0])
		}
	}
}
