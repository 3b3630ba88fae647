package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// TwinOptions say how two kernels run the same scenario.
type TwinOptions struct {
	// First and Second differ in private options only. The seed and the observer of
	// cranks are set by Twin.
	First, Second host.Options
	// Dir is a directory in which the first kernel keeps its state, so that memories are
	// mapped from images: in a directory of its own for each run. "" is in memory, as the
	// second is.
	Dir string
	// Deliveries takes the place of the scenario's length in deliveries; 0 leaves it.
	Deliveries uint64
	// Progress is told of every crank how many deliveries there were; nil is nobody.
	Progress func(deliveries uint64)
	// Again is told before both run once more, to find the crank after which memories
	// differ: it is past the first and not past the last; nil is nobody.
	Again func(first, last uint64)

	plant plantedFaults // of tests
}

// Apart returns private options of two kernels that are as far from each other as they can
// be: programs compiled, few vats in memory, mapped from their images and saved often; and
// programs interpreted, all vats in memory, copied and never saved.
func Apart() (first, second host.Options) {
	first = host.Options{
		MaxVats: 8, PauseOnEvict: true, Memory: "mapped", Detector: "scan", NoSync: true,
	}
	first.Snapshots.Initial, first.Snapshots.Interval = 1, 3
	second = host.Options{MaxVats: math.MaxInt, Interpreter: true, Memory: "copied", BlockCranks: 7}
	second.Snapshots.Initial = SnapshotNever
	return first, second
}

// plantedFaults make the kernels differ.
type plantedFaults struct {
	open  func(side int, o *host.Options) // before each host is opened
	crank func(side int, c *host.Crank)   // of every crank, before it is compared
}

// Twins is what a Twin found.
type Twins struct {
	Cranks, Deliveries uint64 // that both made, and alike
	Activityhash       swing.Hash
	// Vats and Pages are how many memories were alike at the end, and of how many pages.
	Vats, Pages int
	Difference  *TwinDifference // the first; nil is none
}

// TwinDifference is where two kernels first differ.
type TwinDifference struct {
	Crank    uint64      // number; 0 is before the first, or after the last
	Vat      swing.VatID // "" is none, or no one
	Position uint64      // of the delivery in the vat's transcript
	Where    string      // which part of the crank, such as "syscall 3"
	First    string      // what it is in the first kernel
	Second   string
	// Page is the first page of the vat's memory that differs once the crank is over, or
	// PageNone.
	Page int
	// Pages is how many pages differ.
	Pages int
}

// PageNone stands for the number of a page where none differs, or none can be compared.
const PageNone = -1

// Twin runs a scenario in two kernels side by side and compares them crank by crank, and
// at the end the memory of every vat that lives. It ends at the first difference, with
// both as they were after that crank. If it is one of memories alone, both are run again,
// to ever nearer ends, until the crank is known after which there is one.
func Twin(ctx context.Context, s *Scenario, o TwinOptions) (Twins, error) {
	found, err := twinUntil(ctx, s, &o, 0)
	if err != nil || found.Difference == nil || !found.Difference.atEnd() {
		return found, err
	}
	alike, differ := uint64(0), found.Cranks
	for differ-alike > 1 {
		if o.Again != nil {
			o.Again(alike, differ)
		}
		middle := alike + (differ-alike)/2
		nearer, err := twinUntil(ctx, s, &o, middle)
		if err != nil {
			return found, err
		}
		if nearer.Difference == nil {
			alike = middle
			continue
		}
		differ, found = middle, nearer
	}
	found.Difference.Crank = differ
	return found, nil
}

// atEnd reports whether it is of memories that were compared after the last crank.
func (d *TwinDifference) atEnd() bool { return d.Crank == 0 && d.Vat != "" }

// twinUntil is a Twin that ends after a crank; 0 is after the last.
func twinUntil(ctx context.Context, s *Scenario, o *TwinOptions, until uint64) (Twins, error) {
	stoppable, stop := context.WithCancel(ctx)
	defer stop()
	t := &twin{o: o, until: until, stop: stop}
	for i := range t.sides {
		if err := t.open(ctx, s, i); err != nil {
			return t.out, errors.Join(err, t.close(ctx))
		}
	}
	err := t.run(stoppable, s)
	switch {
	case err != nil:
	case ctx.Err() != nil:
		err = ctx.Err()
	case t.out.Difference != nil:
		err = t.memory(ctx, t.out.Difference)
	default:
		err = t.compareEnds(ctx)
	}
	return t.out, errors.Join(err, t.close(context.WithoutCancel(ctx)))
}

// twin is a Twin in progress.
type twin struct {
	o     *TwinOptions
	until uint64 // number of the last crank, or 0
	stop  context.CancelFunc
	sides [2]*side
	out   Twins
}

// side is one of the kernels. It stops after each crank until it is told to go on.
type side struct {
	h      *host.Host
	cranks chan host.Crank
	resume chan struct{}
	err    error // of its Run, once cranks is closed
}

// open opens the i-th side.
func (t *twin) open(ctx context.Context, s *Scenario, i int) (err error) {
	o, dir := t.o.First, t.o.Dir
	if i == 1 {
		o, dir = t.o.Second, ""
	}
	if dir != "" {
		dir = filepath.Join(dir, fmt.Sprintf("until-%d", t.until))
	}
	d := &side{cranks: make(chan host.Crank), resume: make(chan struct{})}
	o.Seed = s.Seed
	o.Observer.Crank = func(c host.Crank) {
		if t.o.plant.crank != nil {
			t.o.plant.crank(i, &c)
		}
		d.cranks <- c
		<-d.resume
	}
	if t.o.plant.open != nil {
		t.o.plant.open(i, &o)
	}
	if d.h, err = host.Open(ctx, dir, &o); err != nil {
		return fmt.Errorf("%s kernel: %w", sideNames[i], err)
	}
	t.sides[i] = d
	return nil
}

var sideNames = [...]string{"first", "second"}

func (t *twin) close(ctx context.Context) (err error) {
	for _, d := range t.sides {
		if d != nil {
			err = errors.Join(err, d.h.Close(ctx))
		}
	}
	return err
}

// run runs both sides, and holds their cranks against each other.
func (t *twin) run(ctx context.Context, s *Scenario) error {
	for _, d := range t.sides {
		go func() {
			defer close(d.cranks)
			_, d.err = Run(ctx, d.h, s, RunOptions{Deliveries: t.o.Deliveries})
		}()
	}
	for t.step() {
	}
	for _, d := range t.sides {
		for range d.cranks { // until it has noticed that it is over
			d.resume <- struct{}{}
		}
	}
	for i, d := range t.sides {
		stopped := ctx.Err() != nil && errors.Is(d.err, context.Canceled)
		if d.err != nil && !stopped {
			return fmt.Errorf("%s kernel: %w", sideNames[i], d.err)
		}
	}
	return nil
}

// step takes the next crank of each side, and reports whether to go on.
func (t *twin) step() bool {
	a, inFirst := <-t.sides[0].cranks
	b, inSecond := <-t.sides[1].cranks
	if inFirst && inSecond {
		t.out.Difference = differ(a, b)
	} else if inFirst != inSecond {
		t.ended(a, b, inFirst)
	}
	goOn := inFirst && inSecond && t.out.Difference == nil
	if goOn {
		t.out.Cranks, t.out.Activityhash = a.Crank, a.Activityhash
		if a.Kind == kernel.Delivery {
			t.out.Deliveries++
		}
		if t.o.Progress != nil {
			t.o.Progress(t.out.Deliveries)
		}
	}
	if goOn = goOn && a.Crank != t.until; !goOn {
		t.stop()
	}
	for i, is := range []bool{inFirst, inSecond} {
		if is {
			t.sides[i].resume <- struct{}{}
		}
	}
	return goOn
}

// ended notes that one side came to its end before the other, unless an error ended it.
func (t *twin) ended(a, b host.Crank, inFirst bool) {
	goesOn, over := a, t.sides[1]
	d := &TwinDifference{First: describeCrank(a), Second: "the end", Page: PageNone}
	if !inFirst {
		goesOn, over = b, t.sides[0]
		d.First, d.Second = "the end", describeCrank(b)
	}
	if over.err != nil {
		return
	}
	d.Crank, d.Vat, d.Position, d.Where = goesOn.Crank, goesOn.Vat, goesOn.Position, "the crank"
	t.out.Difference = d
}

// differ returns where two cranks first differ, or nil.
func differ(a, b host.Crank) *TwinDifference {
	d := &TwinDifference{
		Crank: a.Crank, Vat: a.Vat, Position: a.Position, Where: "the crank",
		First: describeCrank(a), Second: describeCrank(b), Page: PageNone,
	}
	switch {
	case d.First != d.Second:
	case a.Kind == kernel.Delivery && string(a.Item) != string(b.Item):
		d.entries(a.Item, b.Item)
	case a.Crankhash != b.Crankhash:
		d.Where = "the rows that it changed"
		d.First, d.Second = a.Crankhash.String(), b.Crankhash.String()
	case a.Activityhash != b.Activityhash:
		d.Where = "an input before it"
		d.First, d.Second = a.Activityhash.String(), b.Activityhash.String()
	default:
		return nil
	}
	return d
}

// entries names the part of a delivery that differs.
func (d *TwinDifference) entries(first, second []byte) {
	a, err := transcript.Decode(first)
	b, otherErr := transcript.Decode(second)
	if err = errors.Join(err, otherErr); err != nil {
		panic(fmt.Sprintf("sim: an entry that the kernel made: %v", err))
	}
	part := transcript.Compare(a, b)
	d.Where, d.First, d.Second = part.Where(), part.Want, part.Got
}

// describeCrank says in a line which crank it is, but not what came of it.
func describeCrank(c host.Crank) string {
	text := fmt.Sprintf("crank %d, %v", c.Crank, c.Kind)
	if c.Vat != "" {
		text += " of vat " + string(c.Vat)
	}
	if c.Kind == kernel.Delivery {
		text += fmt.Sprintf(", position %d", c.Position)
	}
	if c.Kind == kernel.Setback {
		text += ": " + c.Outcome.String()
	}
	return text
}

// compareEnds holds what both kernels are at the end against each other.
func (t *twin) compareEnds(ctx context.Context) error {
	a, err := t.sides[0].h.Activityhash()
	b, otherErr := t.sides[1].h.Activityhash()
	if err = errors.Join(err, otherErr); err != nil {
		return err
	}
	if t.out.Activityhash = a; a != b {
		t.out.Difference = &TwinDifference{
			Where: "an input after the last crank", First: a.String(), Second: b.String(),
			Page: PageNone,
		}
		return nil
	}
	vats, err := t.sides[0].h.Vats()
	for _, v := range vats {
		if err != nil || !v.Alive {
			continue
		}
		d := &TwinDifference{Vat: v.ID, Position: v.Span.End - min(v.Span.End, 1), Page: PageNone}
		if err = t.memory(ctx, d); d.Where != "" {
			t.out.Difference = d
			break
		}
		t.out.Vats++
	}
	return err
}

// memory compares the memory of a vat that lives in both kernels. Where nothing else
// differs, it says what does.
func (t *twin) memory(ctx context.Context, d *TwinDifference) error {
	var memories [2]host.Memory
	for i, side := range t.sides {
		if d.Vat == "" {
			return nil
		}
		m, err := side.h.Memory(ctx, d.Vat)
		if errors.Is(err, host.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		memories[i] = m
	}
	if d.memories(&memories[0], &memories[1]); d.Pages == 0 {
		t.out.Pages += len(memories[0].Pages)
	}
	return nil
}

// memories compares two memories page by page, and then the rest of the heaps.
func (d *TwinDifference) memories(a, b *host.Memory) {
	for i := range max(len(a.Pages), len(b.Pages)) {
		if i < len(a.Pages) && i < len(b.Pages) && a.Pages[i] == b.Pages[i] {
			continue
		}
		if d.Pages++; d.Pages == 1 {
			d.Page = i
		}
	}
	if d.Where != "" {
		return
	}
	rest := func(h swing.Heap) string {
		return fmt.Sprintf("%d bytes, globals %x, clock %d, %d bytes of its random stream",
			h.Size, h.Globals, h.Clock, h.Random)
	}
	if d.First, d.Second = rest(a.Heap), rest(b.Heap); d.First != d.Second {
		d.Where = "the heap beside its pages"
	} else if d.Pages > 0 {
		d.Where = fmt.Sprintf("memory page %d", d.Page)
		d.First, d.Second = a.Pages[d.Page].String(), b.Pages[d.Page].String()
	}
}
