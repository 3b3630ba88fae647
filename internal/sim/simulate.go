package sim

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"syscall"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// Simulated is what came of a simulated run.
type Simulated struct {
	// Cranks are all that were made: by the undisturbed twin, by the run, some of them
	// again and again, and by those in damaged directories.
	Cranks uint64
	// Replayed are the deliveries that page-ins replayed beside.
	Replayed uint64
	// Reached counts the faults that came to be, by kind, and Marks what came of them.
	Reached map[FaultKind]int
	Marks   map[Mark]int
	// Failure is what must not be, or nil.
	Failure error
}

// Mark is something that should happen sometimes, or the simulation shows too little.
type Mark string

// The marks.
const (
	MarkLost     Mark = "the block in flight was lost"
	MarkKept     Mark = "the block in flight was found whole"
	MarkFresh    Mark = "a crash left nothing"
	MarkRecovery Mark = "a fault during recovery"
	MarkAbsorbed Mark = "a fault was told, and the run went on"
	MarkAgain    Mark = "workers were lost, and the run went on"
	MarkRefused  Mark = "damage was refused by name"
	MarkHealed   Mark = "damage was found, and did not matter"
	MarkPageIn   Mark = "a vat was paged in"
	MarkSnapshot Mark = "a snapshot was taken"
	MarkOutput   Mark = "an output was released before a fault"
)

// Marks are all there are.
var Marks = []Mark{
	MarkLost, MarkKept, MarkFresh, MarkRecovery, MarkAbsorbed, MarkAgain, MarkRefused,
	MarkHealed, MarkPageIn, MarkSnapshot, MarkOutput,
}

// errNoMemory is what a vat is refused memory with.
var errNoMemory = errors.New("memory is refused by the simulation")

// expected are what a run may end with when its fault has come.
var expected = []error{
	vfs.ErrCrashed, syscall.EIO, syscall.ENOSPC, errNoMemory, context.Canceled,
}

// undisturbed is the twin: what the same workload does when nothing fails.
type undisturbed struct {
	whole   map[swing.Hash]uint64 // how many cranks there were at each state
	outputs []host.Output
	hash    swing.Hash // at the end
	audit   *Audit
}

// simulation is a Simulate in progress.
type simulation struct {
	s        *Scenario
	machines *Simulator
	p        *Plan
	out      *Simulated
	want     undisturbed
	settings Settings
	files    *vfs.Mem
	// acknowledged is how many cranks were in blocks that were told; seen is how many
	// had been made when the run ended.
	acknowledged, seen uint64
	failure            error // noticed by an observer
}

// Simulate simulates one run: see [Simulator.Simulate].
func Simulate(ctx context.Context, s *Scenario, p Plan) (out Simulated, err error) {
	r := s.Simulator()
	defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
	return r.Simulate(ctx, p)
}

// Simulate runs the scenario by a plan, on files in memory, and beside it the same without
// faults and with all vats in memory. After each fault it sees that what is left is the
// state after a whole block, no older than the last that was acknowledged, that all that
// is stored verifies, and that no output was released which the twin does not have. At the
// end the activityhash, the outputs and the audit must be the twin's. The error is that of
// ctx; what the run did wrong is the Failure.
func (r *Simulator) Simulate(ctx context.Context, p Plan) (out Simulated, err error) {
	out = Simulated{Reached: map[FaultKind]int{}, Marks: map[Mark]int{}}
	with := r.s.WithSeed(p.Seed)
	with.Length.Messages = p.Messages
	m := &simulation{
		s: with, machines: r, p: &p, out: &out, settings: p.Settings, files: vfs.NewMem(),
	}
	defer func() {
		if bug := recover(); bug != nil {
			out.Failure = fmt.Errorf("panic: %v\n%s", bug, debug.Stack())
		}
	}()
	if p.Linked {
		out.Failure = linked(ctx, r, with, &p, &out)
	} else {
		out.Failure = m.run(ctx)
	}
	return out, ctx.Err()
}

func (m *simulation) run(ctx context.Context) error {
	if err := m.undisturbed(ctx); err != nil {
		return fmt.Errorf("the undisturbed run: %w", err)
	}
	for i := range m.p.Faults {
		f := &m.p.Faults[i]
		err := m.life(ctx, f)
		if err == nil {
			err = m.recovered(ctx)
		}
		if err != nil {
			return fmt.Errorf("fault %d, %s at %d: %w", i, f.Kind, f.At, err)
		}
		if f.Settings != nil {
			m.settings = *f.Settings
		}
	}
	if err := m.toTheEnd(ctx, m.files, nil); err != nil && ctx.Err() == nil {
		return fmt.Errorf("after all faults: %w", err)
	}
	return nil
}

// simulatedOptions are the options of an opening.
func simulatedOptions(s *Scenario, files vfs.FS, settings Settings, on *machine) host.Options {
	o := settings.options()
	o.Seed, o.Devices, o.FS, o.Engine = s.Seed, devices.All(), vfs.Sparing(files), on
	return o
}

// host returns the options of an opening, with an observer that counts cranks. Its vats
// run in a machine that does not fail.
func (m *simulation) host(
	ctx context.Context, files vfs.FS, settings Settings,
) (o host.Options, on *machine, err error) {
	on, err = m.machines.machine(ctx, machineKey{compiled: settings.Compiled})
	o = simulatedOptions(m.s, files, settings, on)
	o.Observer.Crank = m.out.count
	return o, on, err
}

// undisturbed runs the twin, and notes its states.
func (m *simulation) undisturbed(ctx context.Context) (err error) {
	settings := m.settings.calm(m.s)
	settings.Block = host.DefaultBlockCranks
	settings.CheckpointBytes, settings.SegmentBytes = 0, 0
	o, _, err := m.host(ctx, vfs.NewMem(), settings)
	if err != nil {
		return err
	}
	o.NoSync = true
	m.want.whole = map[swing.Hash]uint64{}
	cranks := uint64(0)
	o.Observer.Crank = func(c host.Crank) {
		m.out.count(c)
		cranks = c.Crank
		m.want.whole[c.Activityhash] = cranks
	}
	o.Observer.Block = func(b host.Block) { m.want.whole[b.Activityhash] = cranks }
	o.Observer.Output = func(o host.Output) { m.want.outputs = append(m.want.outputs, o) }
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	begun, err := h.Activityhash()
	if err != nil {
		return err
	}
	m.want.whole[begun] = 0
	result, err := Run(ctx, h, m.s, RunOptions{Deliveries: m.p.Deliveries})
	if err != nil {
		return err
	}
	m.want.audit = result.Audit
	m.want.hash, err = h.Activityhash()
	return err
}

// life runs until a fault ends it, or to the scenario's end.
func (m *simulation) life(ctx context.Context, f *PlannedFault) error {
	stoppable, stop := context.WithCancel(ctx)
	defer stop()
	files := vfs.NewFaulty(m.files)
	files.Arm(f.armed())
	o, on, err := m.host(ctx, m.planted(files), m.settings)
	if err != nil {
		return err
	}
	var told error
	o.Observer.Fault = func(err error) { told = errors.Join(told, err) }
	o.Observer.Block = func(b host.Block) { m.acknowledged += b.Cranks }
	o.Observer.Output = m.output
	made, until := uint64(0), uint64(0)
	if f.inOrder() {
		until = f.At
	}
	o.Observer.Crank = func(c host.Crank) {
		m.out.count(c)
		made++
		m.seen = c.Crank
		if on.lost != nil && until == 0 {
			until = 2 * made // it goes on for as long as it was, to be ended in good order
		}
		if made == until {
			stop()
		}
	}
	refused := on.armed(f)
	opened, err := m.attempt(stoppable, &o)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if files.Fired() != "" || stoppable.Err() != nil || *refused || on.lost != nil {
		m.out.Reached[f.Kind]++
		m.out.mark(MarkRecovery, !opened && err != nil && m.seen > 0)
		m.out.mark(MarkAbsorbed, err == nil && told != nil && on.lost == nil)
		m.out.mark(MarkAgain, on.lost != nil && opened && made > 0)
		err = unexpected(err)
	}
	m.files = f.left(m.files)
	if err = errors.Join(err, m.failure); err == nil && f.Kind == FaultDamage {
		err = m.damage(ctx, f)
	}
	return err
}

// planted returns the files with what a test has planted in them.
func (m *simulation) planted(files vfs.FS) vfs.FS {
	if m.p.plant == nil {
		return files
	}
	return m.p.plant(files)
}

// attempt opens the directory and goes on to the scenario's end. It reports whether the
// directory was opened.
func (m *simulation) attempt(ctx context.Context, o *host.Options) (opened bool, err error) {
	h, err := host.Open(ctx, "", o)
	if err != nil {
		return false, err
	}
	_, err = Run(ctx, h, m.s, RunOptions{Deliveries: m.p.Deliveries})
	m.out.markWork(h)
	return true, errors.Join(err, h.Close(context.WithoutCancel(ctx)))
}

// count counts a crank.
func (s *Simulated) count(c host.Crank) {
	s.Cranks++
	s.Replayed += c.Replayed
}

// mark counts a mark, if it was reached.
func (s *Simulated) mark(mark Mark, reached bool) {
	if reached {
		s.Marks[mark]++
	}
}

// whole reports what is wrong if so many cranks are left that they end no block: of those
// that were acknowledged all must be, and of those made since all or none. It counts which.
func (s *Simulated) whole(cranks, acknowledged, made uint64) error {
	if cranks != acknowledged && (cranks != made || cranks < acknowledged) {
		return fmt.Errorf("%d cranks are left, which is no whole block: %d were acknowledged, "+
			"%d made", cranks, acknowledged, made)
	}
	s.mark(MarkLost, cranks < made)
	s.mark(MarkKept, cranks > acknowledged)
	return nil
}

// markWork counts the marks of what a host did since it was opened.
func (s *Simulated) markWork(h *host.Host) {
	if stats, err := h.Stats(); err == nil {
		s.mark(MarkPageIn, stats.Vats.PageIns > 0)
		s.mark(MarkSnapshot, stats.Snapshots > 0)
	}
}

// unexpected returns an error that is not of a fault that was made.
func unexpected(err error) error {
	for _, e := range expected {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

// inOrder reports whether it is a matter of cranks: the run ends in good order.
func (f *PlannedFault) inOrder() bool {
	return f.Kind == FaultRestart || f.Kind == FaultSettings || f.Kind == FaultDamage
}

// armed returns what the files are to do.
func (f *PlannedFault) armed() vfs.Fault {
	at := int(f.At)
	switch f.Kind {
	case FaultCrash:
		return vfs.Fault{At: at, Crash: true}
	case FaultFull:
		return vfs.Fault{At: at, Err: syscall.ENOSPC, Sticky: true}
	case FaultChange:
		return vfs.Fault{At: at, Err: syscall.EIO}
	case FaultTorn:
		return vfs.Fault{At: at, Err: syscall.EIO, Short: true}
	case FaultRead:
		return vfs.Fault{At: at, Err: syscall.EIO, Reads: true}
	}
	return vfs.Fault{} // it is none of files
}

// left returns what the fault leaves of files: all, unless the machine crashed.
func (f *PlannedFault) left(files *vfs.Mem) *vfs.Mem {
	if f.Kind == FaultCrash {
		return files.Crash(f.Draw, f.Keep)
	}
	return files.Crash(0, 100)
}

// output holds one that was released against the twin's.
func (m *simulation) output(o host.Output) {
	m.out.mark(MarkOutput, true)
	if o.Number >= uint64(len(m.want.outputs)) {
		m.failure = fmt.Errorf("output %d was released, the twin has %d", o.Number,
			len(m.want.outputs))
	} else if want := m.want.outputs[o.Number]; !reflect.DeepEqual(o, want) {
		m.failure = fmt.Errorf("output %d was released as %v, the twin's is %v", o.Number, o, want)
	}
}

// recovered opens a copy of what is left, and finds its place in the twin's states.
func (m *simulation) recovered(ctx context.Context) (err error) {
	o, _, err := m.host(ctx, m.files.Crash(0, 100), m.settings)
	if err != nil {
		return err
	}
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		return fmt.Errorf("open what is left: %w", err)
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	stats, err := h.Stats()
	if err != nil {
		return err
	}
	cranks := stats.Kernel.Cranks
	if err := m.out.whole(cranks, m.acknowledged, m.seen); err != nil {
		return err
	}
	if at, known := m.want.whole[stats.Activityhash]; !known || at != cranks {
		return fmt.Errorf("the activityhash after %d cranks is %v, which the twin never had then",
			cranks, stats.Activityhash)
	}
	m.out.mark(MarkFresh, cranks == 0)
	m.acknowledged, m.seen = cranks, cranks
	return sound(ctx, h)
}

// sound verifies all that is stored.
func sound(ctx context.Context, h *host.Host) error {
	var found error
	_, err := h.Check(
		ctx,
		func(f host.Fault) { found = errors.Join(found, errors.New(f.String())) },
	)
	if err = errors.Join(err, found); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	return nil
}

// toTheEnd goes on without faults, and compares the end with the twin's. Of damaged
// files it is told which faults are known.
func (m *simulation) toTheEnd(ctx context.Context, files *vfs.Mem, told *error) (err error) {
	o, _, err := m.host(ctx, files, m.settings)
	if err != nil {
		return err
	}
	o.Observer.Output = m.output
	o.Observer.Fault = func(err error) {
		if told != nil {
			*told = errors.Join(*told, err)
		}
	}
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	result, err := Run(ctx, h, m.s, RunOptions{Deliveries: m.p.Deliveries})
	if err != nil {
		return err
	}
	hash, err := h.Activityhash()
	if err == nil && told == nil {
		err = sound(ctx, h)
	}
	if err != nil {
		return err
	}
	return errors.Join(m.compareEnd(h, hash, result.Audit), m.failure)
}

// ErrOtherEnd is of a run that goes on in silence to another end than its twin.
var ErrOtherEnd = errors.New("the run has another end than its twin")

func (m *simulation) compareEnd(h *host.Host, hash swing.Hash, audit *Audit) error {
	outputs, err := h.Outputs(0, len(m.want.outputs)+1)
	switch {
	case err != nil:
		return err
	case hash != m.want.hash:
		return fmt.Errorf("%w: activityhash %v, want %v", ErrOtherEnd, hash, m.want.hash)
	case !reflect.DeepEqual(outputs, m.want.outputs):
		return fmt.Errorf("%w: outputs %v, want %v", ErrOtherEnd, outputs, m.want.outputs)
	case !reflect.DeepEqual(audit, m.want.audit):
		return fmt.Errorf("%w: audit %+v, want %+v", ErrOtherEnd, audit, m.want.audit)
	}
	return nil
}
