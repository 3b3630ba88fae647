package sim

import (
	"math"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/vfs"
)

// equipped has devices, meters, a time, and vats of every option.
const equipped = `about: everything that is no vat
seed: equipped
devices: [timer, command]
meters:
  - {name: allowance, remaining: 9_000, threshold: 1_000}
  - {name: tally}
time: {step: 1_000}
vats:
  - {name: counter, program: counter, count: 2, meter: allowance}
  - {name: pipe, program: puppet, options: [pipelining, critical], meter: tally}
  - {name: held, program: puppet, options: [quarantine]}
  - {name: locker, program: locker, args: [{ref: timer}]}
setup:
  - {to: held, method: do, args: [[trap]]}
  - {to: pipe, method: hello, args: [{ref: timer}, {ref: command}, {ref: tally}]}
  - {to: counter, method: incr, args: [1]}
workload:
  - {to: locker, method: keep, args: [{ref: counter.0}, 2_500], messages: 2}
  - {to: locker, method: read, messages: 6}
length: {messages: 8}
audit: {ask: [{to: locker, method: read, answers: [entries, expired, returned]}]}
`

// TestThingsAreMade: devices are there, and are what arguments refer to; meters are taken
// off; options are the vats'; and the time goes on, step by step.
func TestThingsAreMade(t *testing.T) {
	t.Parallel()
	h := opened(t, parsed(t, equipped), host.Options{})
	result, err := Run(t.Context(), h, parsed(t, equipped), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint64{1, 1, 0} { // the second comes too early to be kept again
		if got := result.Audit.Asked[0].Sums[i].Sum; got != want {
			t.Errorf("sum %d is %d, want %d", i, got, want)
		}
	}
	for _, name := range []string{"timer", "command"} {
		if _, err := h.Device(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := h.Device("bridge"); err == nil {
		t.Error("there is a bridge that nobody asked for")
	}
	refs, _, err := read(h, noteRoots, decodeRefs)
	if err != nil || len(refs) != 5+4 {
		t.Fatalf("references %v, %v", refs, err)
	}
	allowance, err := h.Meter(refs[7])
	if err != nil || allowance.Used < 4_000 || allowance.Remaining+allowance.Used != 9_000 {
		t.Errorf("allowance %+v, %v", allowance, err)
	}
	tally, err := h.Meter(refs[8])
	if err != nil || !tally.Unlimited || tally.Used < 2_000 {
		t.Errorf("tally %+v, %v", tally, err)
	}
	if v, err := h.Vat("held"); err != nil || !v.Held || v.Quarantine == "" {
		t.Errorf("held: %+v, %v", v, err)
	}
	entries, err := h.Transcript("v3", 0, 10)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	if d, _ := entries[1].Describe(); d != "message o+0.hello([o-50, o-51, o-52])" {
		t.Errorf("the vat was told %s", d)
	}
}

// TestTime: steps have the times that they should, up to the last there is, and a run
// that was stopped goes on in its time.
func TestTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		clock clock
		step  uint64
		want  uint64
	}{
		{clock{5, 3}, 0, 5}, {clock{5, 3}, 4, 17}, {clock{5, 1 << 40}, 1 << 30, math.MaxUint64},
	} {
		if got := c.clock.at(c.step); got != c.want {
			t.Errorf("step %d of %+v is at %d, want %d", c.step, c.clock, got, c.want)
		}
	}
	s := parsed(t, equipped)
	want := straight(t, s, host.Options{}, RunOptions{})
	fs, pieces := vfs.NewMem(), 0
	for interrupted(t, fs, s, 1) {
		pieces++
	}
	if got := resumed(t, fs, s); got != want || pieces < 2 {
		t.Errorf("in %d pieces:\ngot  %+v\nwant %+v", pieces, got, want)
	}
}

// TestThingsAreRefused: for every way to get them wrong, the error has the place, what is
// wrong, and what would be right; and a Host without the devices is told so.
func TestThingsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, new, want string }{
		{"[timer, command]", "[timer, tim]", `x.yaml:3:18: there is no device "tim": there are bridge, command, mailbox, timer`},
		{"[timer, command]", "[timer, timer]", `x.yaml:3:18: there is a device or meter "timer" already`},
		{"name: tally", "name: timer", `there is a device or meter "timer" already`},
		{"name: tally", "name: 9", "a number where a name is due"},
		{"name: tally", "name: v1", `x.yaml:6:12: name "v1": it reads as a vat's id`},
		{"name: tally", "name: tally, threshold: 1", "x.yaml:6:30: a meter without remaining is unlimited"},
		{"remaining: 9_000", "remaining: -1", "-1"},
		{"{step: 1_000}", "{start: 5, step: 1}", "x.yaml:7:15: 5 as start: want 946684800000000000 to"},
		{"{step: 1_000}", "{step: 0}", "x.yaml:7:14: 0 as step: want 1 to"},
		{"{step: 1_000}", "{start: 946684800000000001}", `without "step"`},
		{"name: held", "name: timer", `there is a group, device or meter "timer" already`},
		{"[quarantine]", "[quarantined]", `there is no option "quarantined": there are pipelining, critical`},
		{"meter: tally", "meter: timer", "there is no such meter: name one of those under meters"},
		{"meter: tally", "meter: held", "there is no such meter"},
		{"{to: counter,", "{to: timer,", `there is no vat "timer"; so far there are`},
	} {
		if strings.Count(equipped, c.old) != 1 {
			t.Fatalf("%q stands %d times in the scenario", c.old, strings.Count(equipped, c.old))
		}
		_, err := Parse("x.yaml", []byte(strings.Replace(equipped, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.new, err, c.want)
		}
	}
	s := parsed(t, equipped)
	h, err := host.Open(t.Context(), "", &host.Options{Seed: s.Seed})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), h, s, RunOptions{}); err == nil ||
		!strings.Contains(err.Error(), `there is no device "timer"`) {
		t.Errorf("without devices: %v", err)
	}
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestThingsAreTheScenario: whatever is changed of them makes another scenario.
func TestThingsAreTheScenario(t *testing.T) {
	t.Parallel()
	seen := map[string]string{parsed(t, equipped).Identity().String(): "as it is"}
	for _, c := range [][2]string{
		{"[timer, command]", "[timer, command, bridge]"}, {"9_000", "9_001"},
		{"threshold: 1_000", "threshold: 1_001"}, {"step: 1_000", "step: 1_001"},
		{"[quarantine]", "[critical]"}, {", meter: allowance}", "}"},
	} {
		id := parsed(t, strings.Replace(equipped, c[0], c[1], 1)).Identity().String()
		if other, ok := seen[id]; ok {
			t.Errorf("%s is the same scenario as %s", c[1], other)
		}
		seen[id] = c[1]
	}
	if len(devices.All()) != 4 {
		t.Errorf("%d devices: the documentation names 4", len(devices.All()))
	}
}
