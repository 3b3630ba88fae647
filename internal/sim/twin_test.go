package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vfs"
)

// apart has the options of Apart, with as few vats in memory as makes them come and go.
func apart() (o TwinOptions) {
	o.First, o.Second = Apart()
	o.First.MaxVats = 2
	o.First.Devices, o.Second.Devices = devices.All(), devices.All()
	return o
}

// TestTwinsAreAlike: every built-in scenario is the same crank by crank and page by page,
// compiled and mapped from images, and interpreted and copied.
func TestTwinsAreAlike(t *testing.T) {
	t.Parallel()
	for _, name := range BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Builtin(name)
			if err != nil {
				t.Fatal(err)
			}
			o := apart()
			o.Dir, o.Deliveries = t.TempDir(), 600
			o.First.MaxVats = 30
			var told uint64
			o.Progress = func(deliveries uint64) { told = deliveries }
			found, err := Twin(t.Context(), s, o)
			if err != nil || found.Difference != nil {
				t.Fatalf("%+v, %v", found.Difference, err)
			}
			if found.Deliveries < upTo(s, 600) || told != found.Deliveries || found.Vats == 0 || found.Pages < 2*found.Vats || found.Cranks == 0 {
				t.Errorf("%+v, told of %d", found, told)
			}
		})
	}
}

// TestTwinsEndAlike: what Twin says of a scenario is what a Run of it comes to.
func TestTwinsEndAlike(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	found, err := Twin(t.Context(), s, apart())
	if err != nil || found.Difference != nil {
		t.Fatalf("%+v, %v", found.Difference, err)
	}
	want := straight(t, s, host.Options{}, RunOptions{})
	if found.Activityhash != want.hash || found.Deliveries != want.deliveries {
		t.Errorf("%+v, want %+v", found, want)
	}
}

// flawed is a file system that flips a bit of what is written to an image, once, when it
// is armed.
type flawed struct {
	vfs.FS
	armed atomic.Bool
	at    *atomic.Int64 // where it did
}

func (f *flawed) Create(name string) (vfs.File, error) {
	file, err := f.FS.Create(name)
	if err == nil && strings.HasSuffix(name, ".image") {
		file = &flawedFile{file, f}
	}
	return file, err
}

type flawedFile struct {
	vfs.File
	fs *flawed
}

func (f *flawedFile) WriteAt(b []byte, at int64) (int, error) {
	if f.fs.armed.CompareAndSwap(true, false) {
		b = append([]byte{}, b...)
		b[len(b)-1] ^= 1
		f.fs.at.Store(at + int64(len(b)) - 1)
	}
	return f.File.WriteAt(b, at)
}

// TestTwinNamesThePage: a bit that goes wrong in an image, and that no vat ever looks at, is
// found as the page it is on, after the crank it came with.
func TestTwinNamesThePage(t *testing.T) {
	t.Parallel()
	for _, crank := range []uint64{31, 47, 60} {
		o := apart()
		o.First.MaxVats, o.First.Snapshots.Initial = 1, SnapshotNever // pages are written to be read again
		var disk *flawed
		var at atomic.Int64 // in the latest run in which it did
		o.plant.open = func(side int, o *host.Options) {
			if side == 0 {
				disk = &flawed{FS: vfs.NewMem(), at: &at}
				o.FS = disk
			}
		}
		o.plant.crank = func(side int, c *host.Crank) {
			if side == 0 && c.Crank == crank {
				disk.armed.Store(true)
			}
		}
		again := 0
		o.Again = func(_, _ uint64) { again++ }
		found, err := Twin(t.Context(), parsed(t, played), o)
		d := found.Difference
		if err != nil || d == nil {
			t.Fatalf("crank %d: %+v, %v", crank, d, err)
		}
		page := int(at.Load() / swing.PageBytes)
		if d.Crank != crank || d.Vat == "" || d.Page != page || d.Pages != 1 || again < 3 || d.First == d.Second ||
			d.Where != fmt.Sprintf("memory page %d", page) || found.Cranks != crank {
			t.Errorf("crank %d, page %d: %+v, ran %d times more", crank, page, d, again)
		}
	}
}

// forgetful is a timer that gives a wrong id, once.
type forgetful struct {
	devices.Timer
	calls *int
}

func (f forgetful) Call(
	d *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (swing.CapData[swing.KRef], error) {
	answer, err := f.Timer.Call(d, method, args)
	if *f.calls++; *f.calls == 3 && method == "delay" {
		answer.Body = swing.AppendUint(swing.AppendArray(nil, 1), 77)
	}
	return answer, err
}

// TestTwinNamesTheSyscall: an answer of a device that differs is named as the syscall that
// it is, in the delivery that it is of.
func TestTwinNamesTheSyscall(t *testing.T) {
	t.Parallel()
	o := apart()
	o.Second.Devices = devices.All()
	o.Second.Devices["timer"] = forgetful{calls: new(int)}
	s := parsed(t, played)
	found, err := Twin(t.Context(), s, o)
	d := found.Difference
	if err != nil || d == nil {
		t.Fatalf("%+v, %v", d, err)
	}
	const locker = "v11"
	if d.Vat != locker || d.Crank != found.Cranks+1 || d.Position == 0 || !strings.HasPrefix(d.Where, "syscall ") ||
		!strings.HasPrefix(d.First, "callNow ") || !strings.Contains(d.Second, "[77]") || d.Page < 0 || d.Pages == 0 {
		t.Errorf("%+v", d)
	}
}

// TestTwinNamesWhatDiffers: a crank that is not what it is in the other kernel is named by
// the first thing in which it differs.
func TestTwinNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	const crank = 40
	for _, c := range []struct {
		name, where   string
		first, second string
		plant         func(c *host.Crank)
	}{
		{"vat", "the crank", "of vat v", "of vat v99, position", func(c *host.Crank) { c.Vat = "v99" }},
		{"position", "the crank", ", position ", ", position 77", func(c *host.Crank) { c.Position = 77 }},
		{"kind", "the crank", "delivery", "idle", func(c *host.Crank) { c.Kind = kernel.Idle }},
		{"delivery", "what is delivered", "(", "a malformed delivery", func(c *host.Crank) { tamper(c, func(e *transcript.Entry) { e.Delivery = []byte{0xff} }) }},
		{"syscall", "syscall 0", "", "exit", func(c *host.Crank) {
			tamper(c, func(e *transcript.Entry) {
				e.Exchanges = append([]transcript.Exchange{exit()}, e.Exchanges...)
			})
		}},
		{"outcome", "its outcome", "ok", "trap", func(c *host.Crank) {
			tamper(c, func(e *transcript.Entry) {
				e.Outcome = swing.Outcome{Status: swing.StatusTrapped, Problem: "unreachable"}
			})
		}},
		{"rows", "the rows that it changed", "", "", func(c *host.Crank) { c.Crankhash[0] ^= 1 }},
		{"input", "an input before it", "", "", func(c *host.Crank) { c.Activityhash[0] ^= 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := apart()
			var at uint64
			var is host.Crank
			o.plant.crank = func(side int, crankIs *host.Crank) {
				if side == 1 && at == 0 && crankIs.Crank >= crank && crankIs.Kind == kernel.Delivery {
					at, is = crankIs.Crank, *crankIs
					c.plant(crankIs)
				}
			}
			found, err := Twin(t.Context(), parsed(t, played), o)
			d := found.Difference
			if err != nil || d == nil || at == 0 {
				t.Fatalf("%+v, %v", d, err)
			}
			if d.Crank != at || found.Cranks != at-1 || d.Vat != is.Vat || d.Position != is.Position || d.Where != c.where ||
				d.First == d.Second || !strings.Contains(d.First, c.first) || !strings.Contains(d.Second, c.second) {
				t.Errorf("planted in crank %d: %+v", at, d)
			}
		})
	}
}

// tamper changes the entry of a crank.
func tamper(c *host.Crank, change func(e *transcript.Entry)) {
	e, err := transcript.Decode(c.Item)
	if err != nil {
		panic(err)
	}
	change(&e)
	c.Item = e.Append(nil)
}

func exit() transcript.Exchange {
	s := swing.Syscall[swing.VRef]{Op: swing.OpExit}
	return transcript.Exchange{Op: s.Op, Request: swing.AppendRequest(nil, s)}
}

// TestTwinThatEndsEarly: a kernel that comes to its end while the other goes on differs
// from it in the crank that the other makes.
func TestTwinThatEndsEarly(t *testing.T) {
	t.Parallel()
	for i := range 2 {
		o := &TwinOptions{}
		tw := &twin{o: o, stop: func() {}}
		goesOn := &side{cranks: make(chan host.Crank), resume: make(chan struct{})}
		over := &side{cranks: make(chan host.Crank)}
		close(over.cranks)
		tw.sides[i], tw.sides[1-i] = goesOn, over
		var wg sync.WaitGroup
		wg.Go(func() {
			goesOn.cranks <- host.Crank{Report: kernel.Report{Kind: kernel.Delivery, Crank: 7, Vat: "v3", Position: 2}}
			<-goesOn.resume
		})
		goOn := tw.step()
		wg.Wait()
		d := tw.out.Difference
		if goOn || d == nil || d.Crank != 7 || d.Vat != "v3" || d.Position != 2 || [...]string{d.Second, d.First}[i] != "the end" {
			t.Errorf("side %d goes on: %+v", i, d)
		}
	}
}

// TestTwinFails: an error of one kernel is told with its name, and is no difference; and
// a Twin that is cancelled says so.
func TestTwinFails(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	for i, name := range sideNames {
		o := apart()
		o.plant.open = func(side int, o *host.Options) {
			if side == i {
				disk := vfs.NewFaulty(vfs.NewMem())
				disk.Arm(vfs.Fault{At: 60, Err: full})
				o.FS = disk
			}
		}
		found, err := Twin(t.Context(), parsed(t, played), o)
		if found.Difference != nil || !errors.Is(err, full) || !strings.HasPrefix(err.Error(), name+" kernel: ") {
			t.Errorf("%s: %+v, %v", name, found.Difference, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := apart()
	o.Progress = func(deliveries uint64) {
		if deliveries == 20 {
			cancel()
		}
	}
	if found, err := Twin(ctx, parsed(t, played), o); !errors.Is(err, context.Canceled) || found.Difference != nil {
		t.Errorf("cancelled: %+v, %v", found.Difference, err)
	}
}
