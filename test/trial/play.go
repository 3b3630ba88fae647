package trial

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// short is a scenario of a few blocks: long enough for snapshots, checkpoints of
// the table, new segments of the log, archives and evictions.
const short = `about: short
seed: short-%d
vats:
  - {name: player, program: pingpong, count: 3}
  - {name: counter, program: counter}
  - {name: glutton, program: glutton, args: [65536, 256, 2, 1, 0, 1, 20]}
setup:
  - {to: player, method: peer, args: [{ref: player.$i+1}]}
workload:
  - {to: player, method: ping, args: [2], pattern: random, burst: 1}
  - {to: [counter, glutton], method: touch, pattern: random, burst: 1}
length: {deliveries: 36}
audit:
  ask:
    - {to: counter, method: read, answers: [count]}
`

// Play is one script, how it is run, and how it goes when nothing fails. What is
// left of a run in which something failed is held against it.
type Play struct {
	Scenario *sim.Scenario
	// Operations is how many file operations the whole run makes.
	Operations int
	// Options are those of a run; tests may change private ones.
	Options host.Options
	// Whole is what the whole run told its observer.
	Whole History

	want Trace
}

// History is what a run told its observer.
type History struct {
	Blocks  []swing.Hash  // the activityhash after each block made durable
	Cranks  uint64        // in them
	Outputs []host.Output // released
	Faults  error         // told, and dealt with
}

// NewPlay makes the play of a seed: another one has other messages and other
// private options. All make every kind of file operation happen in a short run, in
// the same order every time.
func NewPlay(seed uint64) (*Play, error) {
	text := fmt.Sprintf(short, seed)
	s, err := sim.Parse("play.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, 8))
	p := &Play{Scenario: s, Options: host.Options{
		Seed: s.Seed, Inline: true, Interpreter: true, MaxVats: 2 + rng.IntN(3),
		BlockCranks:  8 + rng.IntN(12),
		Snapshots:    warehouse.Policy{Initial: 1 + rng.IntN(3), Interval: 4 + rng.IntN(4)},
		PauseOnEvict: rng.IntN(3) == 0, KeepSnapshots: 1 + rng.IntN(2),
		SegmentBytes: 3<<10 + rng.Int64N(3<<10), CheckpointBytes: 3<<10 + rng.IntN(3<<10),
	}}
	files := vfs.NewFaulty(vfs.NewMem())
	if p.Whole, err = p.Attempt(files, ""); err != nil {
		return nil, fmt.Errorf("play %d: %w", seed, err)
	}
	p.Operations = files.Operations()
	o := p.on(vfs.NewMem())
	if p.want, err = Run(context.Background(), "", o, p.Scenario); err != nil {
		return nil, fmt.Errorf("play %d: %w", seed, err)
	}
	return p, nil
}

// on returns the options of a run over files, or, if they are nil, over a directory.
func (p *Play) on(files vfs.FS) host.Options {
	o := p.Options
	if files != nil {
		o.FS = vfs.Sparing(files)
	}
	return o
}

// Attempt runs the play, over files or in a directory, until it ends or something
// fails. It returns what was acknowledged.
func (p *Play) Attempt(files vfs.FS, dir string) (h History, err error) {
	return p.AttemptTold(files, dir, func(host.Block) {})
}

// AttemptTold is Attempt that says when a block has been acknowledged.
func (p *Play) AttemptTold(
	files vfs.FS, dir string, told func(b host.Block),
) (h History, err error) {
	ctx := context.Background()
	o := p.on(files)
	o.Observer.Block = func(b host.Block) {
		h.Blocks = append(h.Blocks, b.Activityhash)
		h.Cranks += b.Cranks
		told(b)
	}
	o.Observer.Output = func(o host.Output) { h.Outputs = append(h.Outputs, o) }
	o.Observer.Fault = func(err error) { h.Faults = errors.Join(h.Faults, err) }
	opened, err := Open(ctx, dir, &o)
	if err != nil {
		return h, err
	}
	_, err = sim.Run(ctx, opened, p.Scenario, sim.RunOptions{})
	return h, errors.Join(err, opened.Close(ctx))
}

// Judge looks at what a failed attempt has left: the state must not be before the
// last block that was acknowledged, nothing that is stored may be damaged, and the run
// must go on to the same end. After a crash the state must be that after a block of
// the whole run; an error ends a block early.
func (p *Play) Judge(before History, crashed bool, files vfs.FS, dir string) (err error) {
	ctx := context.Background()
	o := p.on(files)
	o.NoSync = true // what happens from here on is not lost
	h, err := Open(ctx, dir, &o)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	stats, err := h.Stats()
	if err != nil {
		return err
	}
	if err := p.placed(before, crashed, stats); err != nil {
		return err
	}
	var found error
	_, err = h.Check(ctx, func(f host.Fault) { found = errors.Join(found, errors.New(f.String())) })
	if err = errors.Join(err, found); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if _, err := sim.Run(ctx, h, p.Scenario, sim.RunOptions{}); err != nil {
		return fmt.Errorf("go on: %w", err)
	}
	got, err := Take(h)
	if err != nil {
		return err
	}
	if d := p.want.Diff(got); d != "" {
		return fmt.Errorf("went on to another end: %s", d)
	}
	return nil
}

// placed finds a state's place in the whole run. Blocks that change nothing that
// is hashed leave the activityhash as it was.
func (p *Play) placed(before History, crashed bool, s host.Stats) error {
	acknowledged := len(before.Blocks)
	if crashed && acknowledged > 0 {
		after := 0
		for i, hash := range p.Whole.Blocks {
			if hash == s.Activityhash {
				after = i + 1
			}
		}
		if after < acknowledged {
			return fmt.Errorf("activityhash %v is after block %d, %d were acknowledged",
				s.Activityhash, after, acknowledged)
		}
	}
	if s.Kernel.Cranks < before.Cranks {
		return fmt.Errorf("%d cranks, %d were acknowledged", s.Kernel.Cranks, before.Cranks)
	}
	for i, o := range before.Outputs {
		if i >= len(p.Whole.Outputs) || fmt.Sprint(o) != fmt.Sprint(p.Whole.Outputs[i]) {
			return fmt.Errorf("output %d was released as %v", i, o)
		}
	}
	return nil
}
