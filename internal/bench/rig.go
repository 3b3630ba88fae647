package bench

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/worker"
)

// rig is a Host in a directory of its own.
type rig struct {
	*host.Host
	dir   string
	clean func()
	// last is the latest delivery's crank.
	last host.Crank
}

func newRig(ctx context.Context, r *Run, o host.Options) (*rig, error) {
	dir, clean, err := r.tempDir()
	if err != nil {
		return nil, err
	}
	g := &rig{dir: dir, clean: clean}
	if err := g.open(ctx, o); err != nil {
		clean()
		return nil, err
	}
	return g, nil
}

func (g *rig) open(ctx context.Context, o host.Options) (err error) {
	o.ReapDeliveries = kernel.Never // what is counted is the messages
	told := o.Observer.Crank
	o.Observer.Crank = func(c host.Crank) {
		if c.Vat != "" {
			g.last = c
		}
		if told != nil {
			told(c)
		}
	}
	g.Host, err = host.Open(ctx, g.dir+"/state", &o)
	return err
}

func (g *rig) close(ctx context.Context) error {
	err := g.Close(ctx)
	g.clean()
	return err
}

// program returns a built-in program's code.
func program(name string) ([]byte, error) {
	code, ok := guest.Program(name)
	if !ok {
		return nil, fmt.Errorf("there is no built-in program %q", name)
	}
	return code, nil
}

// vat installs a built-in program and makes a vat of it.
func (g *rig) vat(
	ctx context.Context,
	name string,
	params []byte,
) (swing.VatID, swing.KRef, error) {
	code, err := program(name)
	if err != nil {
		return "", "", err
	}
	hash, err := g.Install(ctx, code)
	if err != nil {
		return "", "", err
	}
	return g.CreateVat(ctx, host.VatSpec{Code: hash, Body: params})
}

// list encodes arguments as the example vats take them.
func list(args ...uint64) []byte {
	b := swing.AppendArray(nil, len(args))
	for _, a := range args {
		b = swing.AppendUint(b, a)
	}
	return b
}

// deliver sends a message and runs until it has been delivered. That it took no effect is an
// error: what is measured then is not what was to be.
func (g *rig) deliver(ctx context.Context, to swing.KRef, method string, body []byte) error {
	if err := g.SendOnly(ctx, to, host.Message{Method: method, Body: body}); err != nil {
		return err
	}
	if _, err := g.Run(ctx, host.Policy{}); err != nil {
		return err
	}
	if !g.last.Outcome.OK() {
		return fmt.Errorf("deliver %s: it took no effect: %s", method, g.last.Outcome)
	}
	return nil
}

// gluttonKnobs are the parameters of a glutton: see guest/EXAMPLES.md.
func gluttonKnobs(heapBytes, noiseBytes, dirtyPages uint64) []byte {
	return list(heapBytes, noiseBytes, dirtyPages, 0, 0, 0, 0)
}

// bigLimits are limits for heaps of up to 256 MiB beside the program's own memory, which
// take more fuel to fill than a delivery usually may use.
func bigLimits() swing.Limits {
	l := swing.DefaultLimits()
	l.MemoryBytes, l.Fuel = 320<<20, 10_000_000_000
	return l
}

// image is a file that holds a heap's memory, for floors.
type image struct {
	vfs.File
	size int64
}

// Size implements worker.Image.
func (i image) Size() int64 { return i.size }

// silent is a Syscaller that answers nothing.
type silent struct{}

// Syscall implements swing.Syscaller.
func (silent) Syscall(swing.Op, []byte) ([]byte, bool) { return nil, true }

// compiled is a built-in program on an engine of its own.
func compiled(
	ctx context.Context,
	name string,
	l swing.Limits,
) (*worker.Engine, *worker.Program, error) {
	return compiledBy(ctx, name, worker.Options{Limits: l}, (*worker.Engine).Compile)
}

// compiledBy is a built-in program on an engine of its own, compiled in some way.
func compiledBy(
	ctx context.Context, name string, o worker.Options,
	compile func(*worker.Engine, context.Context, []byte) (*worker.Program, error),
) (*worker.Engine, *worker.Program, error) {
	code, err := program(name)
	if err != nil {
		return nil, nil, err
	}
	e, err := worker.NewEngine(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	p, err := compile(e, ctx, code)
	if err != nil {
		return nil, nil, errors.Join(err, e.Close(ctx))
	}
	return e, p, nil
}
