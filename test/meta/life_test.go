package meta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
)

// seeds are of lives in which, together, all happens that TestLifeIsRich wants.
var seeds = []uint64{30, 43}

// lives are what all variants must agree on.
func lives() (all []trial.Life) {
	n := len(seeds)
	if testing.Short() {
		n = 1
	}
	for _, seed := range seeds[:n] {
		all = append(all, trial.Life{Seed: seed, Rounds: 300})
	}
	return all
}

// happened counts what happens in lives, by kind.
type happened map[string]int

func (c happened) observe(o *host.Options) {
	o.Observer.Crank = func(k host.Crank) {
		c[k.Kind.String()]++
		c["made"] += k.Made
		for _, e := range k.Ended {
			c[fmt.Sprintf("end, a failure %v", e.Failure)]++
		}
		if k.Swept.Rows > 0 && !k.Swept.Last {
			c["cleanup in steps"]++
		}
		if k.Kind == kernel.Setback {
			c["setback of "+k.Delivery.String()]++
		}
		if k.Outcome.Status != 0 {
			c["status "+k.Outcome.Status.String()]++
		}
		c.item(k.Item)
	}
	o.Observer.Output = func(out host.Output) { c["output of "+out.Device]++ }
}

func (c happened) item(item []byte) {
	if item == nil {
		return
	}
	e, err := transcript.Decode(item)
	if err != nil {
		panic(err)
	}
	d, err := swing.DecodeDelivery[swing.VRef](e.Delivery)
	if err != nil {
		panic(err)
	}
	c[strings.TrimSpace("deliver "+d.Kind.String()+" "+d.Message.Method)]++
	for _, x := range e.Exchanges {
		if !e.Outcome.OK() {
			break
		}
		s, err := swing.DecodeRequest[swing.VRef](x.Op, x.Request)
		if err != nil {
			panic(err)
		}
		c[strings.TrimSpace(x.Op.String()+" "+s.Message.Method)]++
	}
}

// rich is what must have happened in the lives.
var rich = []string{
	"callNow cancel", "callNow delay", "callNow now", "callNow post", "callNow register",
	"callNow repeat", "callNow wakeAt", "cleanup in steps", "deliver dropExports",
	"deliver message inbound", "deliver message wake", "deliver notify", "deliver reap",
	"deliver retireExports", "deliver retireImports", "dropImports", "end, a failure false",
	"end, a failure true", "made", "output of bridge", "retireExports", "retireImports",
	"abandonExports", "send addRemaining", "send createMeter", "send createVat", "send done",
	"send get", "send notify", "send terminate", "send upgrade", "send changeOptions",
	"setback of message", "setback of startVat", "skip", "status exited",
	"status illegal syscall", "status meter underflow", "status out of fuel",
	"status trapped",
}

// TestLifeIsRich: what the other tests compare has everything in it that it is for.
func TestLifeIsRich(t *testing.T) {
	c := happened{}
	for _, seed := range seeds {
		o := host.Options{NoSync: true}
		c.observe(&o)
		l := trial.Life{Seed: seed, Rounds: 300}
		if _, err := l.Run(t.Context(), t.TempDir(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		t.Logf("%6d %s", c[name], name)
	}
	for _, name := range rich {
		if c[name] == 0 {
			t.Errorf("never: %s", name)
		}
	}
}

// lifeVariants is how many variants of the grid each life is led in.
const lifeVariants = 24

// TestLifeInEveryVariant: whatever the private options, a life is the same.
func TestLifeInEveryVariant(t *testing.T) {
	for _, l := range lives() {
		want := lifeBaseline(t, l)
		rng := rand.New(rand.NewPCG(l.Seed, 3))
		grid := variants()
		rng.Shuffle(len(grid), func(i, j int) { grid[i], grid[j] = grid[j], grid[i] })
		sameEverywhere(t, want, grid[:lifeVariants],
			func(dir string, o host.Options) (trial.Trace, error) {
				return l.Run(context.Background(), dir, o)
			})
	}
}

func lifeBaseline(t *testing.T, l trial.Life) trial.Trace {
	t.Helper()
	want, err := l.Run(t.Context(), t.TempDir(), host.Options{MaxVats: 1000, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// interrupted leads a life that is stopped after some blocks each time, and goes on with
// another variant: from a Kernel that remembers nothing, and devices that do not.
func interrupted(dir string, l trial.Life, seed uint64) (tr trial.Trace, stops int, err error) {
	grid := variants()
	rng := rand.New(rand.NewPCG(seed, 4))
	run := func(ctx context.Context, o host.Options) (trial.Trace, error) {
		return l.Run(ctx, dir, o)
	}
	return restless(run, func() host.Options {
		return grid[rng.IntN(len(grid))].options()
	}, func() int { return 1 + rng.IntN(40) })
}

// TestLifeGoesOn: a life that is stopped at random blocks, and goes on each time with
// other private options, is the same.
func TestLifeGoesOn(t *testing.T) {
	var all atomic.Int64
	const runs = 6
	for _, l := range lives() {
		want := lifeBaseline(t, l)
		err := trial.Each(runs, func(i int) error {
			got, stops, err := interrupted(t.TempDir(), l, uint64(i))
			all.Add(int64(stops))
			if d := want.Diff(got); err == nil && d != "" {
				err = errors.New(d)
			}
			if err != nil {
				return fmt.Errorf("seed %d, run %d: %w", l.Seed, i, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	t.Logf("stopped %d times", all.Load())
	if all.Load() < int64(10*runs*len(lives())) {
		t.Errorf("stopped %d times only", all.Load())
	}
}

// TestHistoriesOfLivesVerify: what lives leave behind is sound, and every vat's history
// can be run again from itself alone, with no device to ask.
func TestHistoriesOfLivesVerify(t *testing.T) {
	for _, l := range lives() {
		dir := t.TempDir()
		if _, err := l.Run(t.Context(), dir, host.Options{NoSync: true}); err != nil {
			t.Fatal(err)
		}
		h, err := l.Open(t.Context(), dir, host.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		verify(t, h)
		if err := h.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHistoriesOfScenariosVerify: so can those that the built-in scenarios leave.
func TestHistoriesOfScenariosVerify(t *testing.T) {
	for _, name := range sim.BuiltinNames() {
		s, err := sim.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		s.Length.Deliveries = 400
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := host.Options{Seed: s.Seed, NoSync: true, Devices: devices.All()}
			h, err := host.Open(t.Context(), t.TempDir(), &o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sim.Run(t.Context(), h, s, sim.RunOptions{}); err != nil {
				t.Fatal(err)
			}
			verify(t, h)
			if err := h.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// verify checks a directory, replays its vats, and verifies the history of each.
func verify(t *testing.T, h *host.Host) {
	t.Helper()
	_, err := h.Check(t.Context(), func(f host.Fault) { t.Errorf("check: %v", f) })
	if err != nil {
		t.Fatal(err)
	}
	vats, err := h.Vats()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vats {
		done, err := h.Replay(t.Context(), v.ID, host.ReplayOptions{})
		if err != nil || done.To != v.Span.End {
			t.Errorf("%s: replayed to %d of %d: %v", v.ID, done.To, v.Span.End, err)
		}
		var history bytes.Buffer
		if _, err := h.ExportVat(t.Context(), v.ID, &history); err != nil {
			t.Fatal(err)
		}
		got, err := host.VerifyVat(t.Context(), &history, nil)
		if err != nil || got.Vat != v.ID || got.Replayed.To != v.Span.End {
			t.Errorf("%s: verified %+v: %v", v.ID, got, err)
		}
	}
}

// moody is a timer that keeps something of its own, which no crank that is rolled back
// undoes, and no directory remembers.
type moody struct {
	devices.Timer
	calls *int
}

// Call implements kernel.Device.
func (m moody) Call(
	d *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (swing.CapData[swing.KRef], error) {
	*m.calls++
	if method == "now" && *m.calls%2 == 0 {
		return swing.CapData[swing.KRef]{Body: []byte{0x80}}, nil
	}
	return m.Timer.Call(d, method, args)
}

// TestPlantedDeviceIsFound: a device that remembers by itself makes lives differ.
func TestPlantedDeviceIsFound(t *testing.T) {
	for seed := range uint64(8) {
		l := trial.Life{Seed: seed + 1, Rounds: 300}
		l.Devices = func() map[string]kernel.Device {
			return map[string]kernel.Device{"timer": moody{calls: new(int)}, "bridge": devices.Bridge{}}
		}
		want := lifeBaseline(t, l)
		for i := range uint64(4) {
			got, stops, err := interrupted(t.TempDir(), l, i)
			if err != nil || want.Diff(got) != "" {
				t.Logf("seed %d, stopped %d times: %v %s", l.Seed, stops, err, want.Diff(got))
				return
			}
		}
	}
	t.Error("a device that remembers by itself is not found")
}

// counted counts the calls of a device, and has it answer.
type counted struct {
	kernel.Device
	calls *int
}

// Call implements kernel.Device.
func (c counted) Call(
	d *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (swing.CapData[swing.KRef], error) {
	*c.calls++
	return c.Device.Call(d, method, args)
}

// TestReplayAsksNoDevice: vats that are paged in all the time, by replay of all they have
// done, have their devices asked as often as vats that stay.
func TestReplayAsksNoDevice(t *testing.T) {
	asked := func(o host.Options) (n int) {
		for _, l := range lives() {
			l.Devices = func() map[string]kernel.Device {
				return map[string]kernel.Device{
					"timer": counted{devices.Timer{}, &n}, "bridge": counted{devices.Bridge{}, &n},
				}
			}
			if _, err := l.Run(t.Context(), t.TempDir(), o); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	never := warehouse.Policy{Initial: warehouse.Never}
	stay := asked(host.Options{MaxVats: 1000, NoSync: true})
	replayed := asked(host.Options{MaxVats: 1, Snapshots: never, NoSync: true})
	if stay == 0 || replayed != stay {
		t.Errorf("asked %d times with replays, %d without", replayed, stay)
	}
}
