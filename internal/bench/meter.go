package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"vatwarehouse/swing"
	"vatwarehouse/worker"
)

// meterPrograms are built by meter/build.sh.
//
//go:embed meter/*.wasm.gz
var meterPrograms embed.FS

// computation is something that is computed: what a delivery tells a program to do.
type computation struct {
	name    string
	program string
	order   []uint32
}

// computations take some 10 milliseconds each.
var computations = []computation{
	{"sieve", "kernels", []uint32{0, 5}},
	{"matrix product", "kernels", []uint32{1, 5}},
	{"sha256", "kernels", []uint32{2, 8}},
	{"quicksort", "kernels", []uint32{3, 2}},
	{"mandelbrot", "kernels", []uint32{4, 5}},
	{"hash", "kernels", []uint32{5, 15}},
	{"parser", "kernels", []uint32{6, 3}},
	{"n-body", "kernels", []uint32{7, 40}},
	{"fibonacci", "kernels", []uint32{8, 30}},
	{"Rust", "rust", []uint32{5}},
	{"Go", "go", []uint32{4}},
	{"JavaScript", "quickjs", []uint32{2}},
}

// meterStyles are the ways in which each kernel is run; the first is the floor.
var meterStyles = []string{"unmetered", "metered", "yielding", "wazero's cancellation"}

const (
	styleFloor = iota
	styleMetered
	styleYielding
	styleCancelled
)

// meterRounds is how often each kernel is run in each style, turn by turn.
const meterRounds = 41

// meter measures programs that compute, metered, against the same ones whose instructions
// cost nothing.
func meter(ctx context.Context, r *Run) error {
	// An engine that looks whether a context has ended needs one that can.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ratios := map[string][2]float64{} // by style: logarithms of medians, and of minima
	for _, k := range computations {
		r.say("meter: %s", k.name)
		samples, err := k.measure(ctx, r.times(meterRounds))
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		floor := samples[styleFloor]
		for style, name := range meterStyles[1:] {
			s := samples[style+1]
			out := result("meter", k.name+", "+name, "µs", s, floor, false)
			least := slices.Min(s) / slices.Min(floor)
			out.Note = fmt.Sprintf("best %.2f", least)
			r.Emit(out)
			sum := ratios[name]
			ratios[name] = [2]float64{sum[0] + math.Log(out.Ratio), sum[1] + math.Log(least)}
		}
	}
	for _, name := range meterStyles[1:] {
		n := float64(len(computations))
		median, least := math.Exp(ratios[name][0]/n), math.Exp(ratios[name][1]/n)
		r.Emit(Result{
			Case: "meter", Variant: "geometric mean, " + name, Unit: "ratio", N: len(computations),
			Median: median, Min: least, Floor: 1, Ratio: median,
		})
	}
	return nil
}

// meterRig is one style's program, and a worker of it.
type meterRig struct {
	engine  *worker.Engine
	program *worker.Program
	worker  *worker.Worker
}

// measure runs it in all styles, which must come to the same sum, turn by turn.
func (k computation) measure(ctx context.Context, rounds int) (samples []sample, err error) {
	code, err := k.code()
	if err != nil {
		return nil, err
	}
	var rigs []*meterRig
	defer func() {
		for _, g := range rigs {
			err = errors.Join(err, g.close(ctx))
		}
	}()
	for style := range meterStyles {
		g, err := newMeterRig(ctx, code, style)
		if err != nil {
			return nil, err
		}
		rigs = append(rigs, g)
	}
	samples = make([]sample, len(rigs))
	first := ""
	for round := range rounds + 1 {
		for i, g := range rigs {
			if i == styleCancelled && round%4 > 1 {
				continue // it takes as long as all others together
			}
			started := time.Now()
			sum, _, err := g.deliver(ctx, k.order)
			took := time.Since(started)
			switch {
			case err != nil:
				return nil, fmt.Errorf("%s: %w", meterStyles[i], err)
			case first == "":
				first = sum
			case sum != first:
				return nil, fmt.Errorf("%s computes %s, not %s", meterStyles[i], sum, first)
			}
			if round > 0 { // the first one also starts the program
				samples[i] = append(samples[i], microseconds(took))
			}
		}
	}
	return samples, nil
}

func (k computation) code() ([]byte, error) {
	packed, err := meterPrograms.ReadFile("meter/" + k.program + ".wasm.gz")
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func newMeterRig(ctx context.Context, code []byte, style int) (g *meterRig, err error) {
	g = &meterRig{}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close(ctx))
		}
	}()
	engine, compile := worker.NewEngine, (*worker.Engine).CompileUnmetered
	switch style {
	case styleMetered:
		compile = (*worker.Engine).Compile
	case styleYielding:
		compile = (*worker.Engine).CompileYielding
	case styleCancelled:
		engine = worker.NewCancellableEngine
	}
	if g.engine, err = engine(ctx, worker.Options{}); err != nil {
		return g, err
	}
	if g.program, err = compile(g.engine, ctx, code); err != nil {
		return g, err
	}
	g.worker, err = g.program.StartAlone(ctx, swing.Hash{})
	return g, err
}

func (g *meterRig) close(ctx context.Context) (err error) {
	if g.worker != nil {
		err = g.worker.Close(ctx)
	}
	if g.program != nil {
		err = errors.Join(err, g.program.Close(ctx))
	}
	if g.engine != nil {
		err = errors.Join(err, g.engine.Close(ctx))
	}
	return err
}

// lastWords keeps a program's last request.
type lastWords struct{ request string }

// Syscall implements swing.Syscaller.
func (l *lastWords) Syscall(_ swing.Op, request []byte) ([]byte, bool) {
	l.request = fmt.Sprintf("%x", request)
	return nil, true
}

// deliver has the program compute, and returns the sum that it comes to, and the fuel
// that took.
func (g *meterRig) deliver(
	ctx context.Context, order []uint32,
) (sum string, fuel uint64, err error) {
	var body []byte
	for _, word := range order {
		body = binary.LittleEndian.AppendUint32(body, word)
	}
	d := swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverStartVat, Params: swing.CapData[swing.VRef]{Body: body},
	})
	var said lastWords
	out, err := g.worker.Deliver(ctx, d, swing.Unbounded, &said, nil)
	if err == nil && !out.OK() {
		err = fmt.Errorf("it ended: %v", out)
	}
	return said.request, out.Fuel, err
}
