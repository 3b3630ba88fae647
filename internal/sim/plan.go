package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"vatwarehouse/host"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// Plan is all that a simulated run depends on beside the scenario: what the workload is
// drawn with, how much of it there is, the host's private options, and the faults. The
// same plan gives the same run, to the last file operation.
type Plan struct {
	// Scenario is its name, or the path of its file.
	Scenario string `json:"scenario"`
	// Seed takes the place of the scenario's.
	Seed string `json:"seed"`
	// Deliveries and Messages take the place of the scenario's length; 0 is no bound.
	Deliveries uint64 `json:"deliveries"`
	Messages   uint64 `json:"messages,omitempty"`
	// Linked spreads the vats over two kernels. It needs a bound in messages; one in
	// deliveries says nothing then.
	Linked   bool           `json:"linked,omitempty"`
	Settings Settings       `json:"settings"`
	Faults   []PlannedFault `json:"faults"`

	plant func(files vfs.FS) vfs.FS // of tests: a fault of ours
}

// Settings are the private options that a simulated run is begun, or goes on, with.
type Settings struct {
	MaxVats      int                `json:"max_vats"`
	MaxBytes     uint64             `json:"max_bytes,omitempty"` // 0 is no bound
	MaxPrograms  int                `json:"max_programs"`
	Evict        warehouse.Eviction `json:"evict"`
	Snapshots    warehouse.Policy   `json:"snapshots"` // as swingsim run --snapshots
	Keep         int                `json:"keep_snapshots"`
	PauseOnEvict bool               `json:"pause_on_evict"`
	Preload      bool               `json:"preload"`
	Block        int                `json:"block"` // cranks
	KeepBlocks   uint64             `json:"keep_blocks,omitempty"`
	// Where files of the log and of snapshots end, and how many bytes of changed keys are
	// kept in memory.
	SegmentBytes    int64 `json:"segment_bytes"`
	PackBytes       int64 `json:"pack_bytes"`
	CheckpointBytes int   `json:"checkpoint_bytes"`
	Compiled        bool  `json:"compiled"` // by the engine's compiler, not interpreted
}

// PlannedFault is one thing that goes wrong in a simulated run.
type PlannedFault struct {
	Kind FaultKind `json:"kind"`
	// Side is which of two linked kernels it comes to, a or b; "" is one of the link itself.
	Side string `json:"side,omitempty"`
	// At is when, counted from the latest opening of the directory: in file operations of
	// the kind, in requests for memory or to workers, or in cranks; from 1. One of the link
	// is counted in parcels, since the two kernels were linked.
	At uint64 `json:"at"`
	// Keep is how much a crash leaves of what was not synced, in percent.
	Keep int `json:"keep,omitempty"`
	// Draw seeds what else there is to choose: what a crash leaves, which bit is flipped,
	// before which syscall workers are lost.
	Draw uint64 `json:"draw,omitempty"`
	// Settings are what the run goes on with; nil leaves them.
	Settings *Settings `json:"settings,omitempty"`
}

// FaultKind is a kind of fault.
type FaultKind string

// The kinds of faults.
const (
	FaultCrash    FaultKind = "crash"      // of the machine, at any change of a file
	FaultFull     FaultKind = "disk-full"  // from a change of a file on
	FaultChange   FaultKind = "io-error"   // of one change of a file
	FaultTorn     FaultKind = "torn-write" // half of it is written, then there is an error
	FaultRead     FaultKind = "read-error" // of one read
	FaultDamage   FaultKind = "damage"     // a bit of a file is flipped while nobody has it open
	FaultMemory   FaultKind = "memory"     // is refused to a vat
	FaultWorker   FaultKind = "worker"     // all workers are lost, as when their process dies
	FaultRestart  FaultKind = "restart"    // in good order
	FaultSettings FaultKind = "settings"   // a restart with other private options

	FaultLostParcel FaultKind = "lost"  // a parcel between two linked kernels
	FaultTwice      FaultKind = "twice" // a parcel that arrives, and arrives again later
	FaultLate       FaultKind = "late"  // a parcel that others overtake
	FaultCut        FaultKind = "cut"   // all on its way is lost, and what is posted next
)

// FaultKinds are those of a run of one kernel.
var FaultKinds = []FaultKind{
	FaultCrash, FaultFull, FaultChange, FaultTorn, FaultRead, FaultDamage, FaultMemory,
	FaultWorker, FaultRestart, FaultSettings,
}

// linkKinds are those of a link.
var linkKinds = []FaultKind{FaultLostParcel, FaultTwice, FaultLate, FaultCut}

// LinkedKinds are those of a run of two linked kernels.
var LinkedKinds = slices.Concat(linkKinds, []FaultKind{
	FaultCrash, FaultFull, FaultChange, FaultTorn, FaultRead, FaultMemory, FaultWorker,
	FaultRestart, FaultSettings,
})

// The bounds of what is drawn.
const (
	plannedFaultsMax  = 6
	plannedMessages   = 20  // of a run of two linked kernels, to each of which several come
	linkedDeliveries  = 8   // that a message takes on one of the two, about
	plannedDeliveries = 150 // of a scenario that is longer, unless the caller wants more
)

// Draw returns the plan of a seed: every one draws another workload, other options, and
// a mix of some kinds of faults, of which it leaves others out altogether. Deliveries is
// how many there are at most, in place of the scenario's length; 0 leaves that to Draw.
func (s *Scenario) Draw(seed, deliveries uint64) Plan {
	rng := rand.New(rand.NewPCG(seed, 0x73696d))
	most := deliveries
	if most == 0 {
		most = plannedDeliveries
		if n := s.Length.Deliveries; n > 0 {
			most = min(most, n)
		}
	}
	p := Plan{
		Scenario: s.Name, Seed: fmt.Sprintf("%s/%d", s.Seed, seed),
		Deliveries: 1 + rng.Uint64N(most), Messages: s.Length.Messages, Faults: []PlannedFault{},
	}
	p.Settings = drawSettings(rng, p.Deliveries)
	kinds := drawKinds(rng, FaultKinds)
	for range 1 + rng.IntN(plannedFaultsMax) {
		p.Faults = append(p.Faults, drawFault(rng, kinds[rng.IntN(len(kinds))], p.Deliveries))
	}
	return p
}

// DrawLinked is Draw for two linked kernels.
func (s *Scenario) DrawLinked(seed uint64) Plan {
	rng := rand.New(rand.NewPCG(seed, 0x6c696e6b))
	p := Plan{
		Scenario: s.Name, Seed: fmt.Sprintf("%s/%d", s.Seed, seed), Linked: true,
		Messages: 1 + rng.Uint64N(plannedMessages), Faults: []PlannedFault{},
	}
	deliveries := linkedDeliveries * p.Messages
	p.Settings = drawSettings(rng, deliveries)
	kinds := drawKinds(rng, LinkedKinds)
	for range 1 + rng.IntN(2*plannedFaultsMax) {
		f := drawFault(rng, kinds[rng.IntN(len(kinds))], deliveries)
		if !slices.Contains(linkKinds, f.Kind) {
			f.Side = nodeNames[rng.IntN(len(nodeNames))]
		}
		p.Faults = append(p.Faults, f)
	}
	return p
}

// drawKinds draws which of some kinds there are in a run.
func drawKinds(rng *rand.Rand, all []FaultKind) []FaultKind {
	kinds := slices.Clone(all)
	rng.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	return kinds[:1+rng.IntN(len(kinds))]
}

// drawSettings draws options of all sizes, as often small ones as large ones, for a run of
// so many deliveries: in a longer one files are longer, so that they do not end, and are
// not written anew, ever more often.
func drawSettings(rng *rand.Rand, deliveries uint64) Settings {
	// upTo draws from 1 to 2^bits, every number of bits as often as another.
	upTo := func(bits int) int { return 1 + rng.IntN(1<<rng.IntN(bits+1)) }
	kib := 1 << 10 * (1 + int(deliveries/1000))
	s := Settings{
		MaxVats: upTo(6), MaxPrograms: upTo(4), Keep: 1 + rng.IntN(3),
		Evict:        warehouse.Evictions[rng.IntN(len(warehouse.Evictions))],
		Snapshots:    drawSnapshots(rng),
		PauseOnEvict: rng.IntN(3) == 0, Preload: rng.IntN(4) == 0, Block: upTo(8),
		SegmentBytes: int64(3*kib + kib*upTo(9)), PackBytes: int64(kib * upTo(10)),
		CheckpointBytes: 3*kib + kib*upTo(9), Compiled: rng.IntN(8) > 0,
	}
	if rng.IntN(4) == 0 {
		s.MaxBytes = uint64(128 << 10 * upTo(4))
	}
	if rng.IntN(4) == 0 {
		s.KeepBlocks = uint64(upTo(5))
	}
	return s
}

// drawSnapshots draws when snapshots are taken: more often than makes sense.
func drawSnapshots(rng *rand.Rand) (p warehouse.Policy) {
	text := fmt.Sprintf("count:%d/%d", 1+rng.IntN(4), 1+rng.IntN(12))
	if rng.IntN(2) == 0 {
		text = []string{
			"never", "cost", "evict", "idle", fmt.Sprintf("fuel:%d", 1+rng.IntN(50_000)),
			fmt.Sprintf("bytes:%d", 1+rng.IntN(5_000)),
		}[rng.IntN(6)]
	}
	if err := p.UnmarshalText([]byte(text)); err != nil {
		panic(fmt.Sprintf("sim: %v", err))
	}
	return p
}

// drawFault draws when a fault comes: soon after the opening, or at any time of a run of
// so many deliveries. A delivery makes about two changes of files.
func drawFault(rng *rand.Rand, kind FaultKind, deliveries uint64) PlannedFault {
	f := PlannedFault{Kind: kind, Draw: rng.Uint64N(1 << 32)}
	within := 1 + deliveries
	switch kind {
	case FaultCrash, FaultFull, FaultChange, FaultTorn, FaultRead, FaultWorker:
		within *= 2
	case FaultMemory:
		within = 1 + within/4
	}
	if rng.IntN(3) == 0 {
		within = min(within, 40)
	}
	f.At = 1 + rng.Uint64N(within)
	if kind == FaultCrash {
		f.Keep = []int{0, 50, 100}[rng.IntN(3)]
	}
	if kind == FaultSettings {
		s := drawSettings(rng, deliveries)
		f.Settings = &s
	}
	return f
}

// calm returns the settings of a twin: all vats are in memory, beside one of a link, and
// nothing is saved.
func (s Settings) calm(of *Scenario) Settings {
	s.MaxVats, s.MaxBytes = len(of.members)+2, 0
	s.Snapshots, s.Compiled = warehouse.Policy{Initial: warehouse.Never}, true
	return s
}

// options returns the host's options.
func (s Settings) options() host.Options {
	return host.Options{
		Inline: true, MaxVats: s.MaxVats, MaxBytes: s.MaxBytes, MaxPrograms: s.MaxPrograms,
		Evict: s.Evict, Snapshots: s.Snapshots, KeepSnapshots: s.Keep,
		PauseOnEvict: s.PauseOnEvict, Preload: s.Preload,
		BlockCranks: s.Block, KeepBlocks: s.KeepBlocks, SegmentBytes: s.SegmentBytes,
		PackBytes: s.PackBytes, CheckpointBytes: s.CheckpointBytes,
	}
}

// ReadPlan reads a plan as WritePlan has written it.
func ReadPlan(r io.Reader) (p Plan, err error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("read plan: %w", err)
	}
	return p, p.valid()
}

// atMax bounds the moment of a fault.
const atMax = 1 << 40

func (p *Plan) valid() error {
	settings := []Settings{p.Settings}
	kinds := FaultKinds
	if p.Linked {
		kinds = LinkedKinds
		if p.Messages == 0 {
			return errors.New("a plan of linked kernels without a bound in messages")
		}
	}
	for i, f := range p.Faults {
		sided := p.Linked && !slices.Contains(linkKinds, f.Kind)
		if sided != slices.Contains(nodeNames, f.Side) || !sided && f.Side != "" {
			return fmt.Errorf("fault %d of the plan, %+v: want a side, a or b, where two kernels "+
				"are linked, but for one of the link", i, f)
		}
		if !slices.Contains(kinds, f.Kind) || f.At < 1 || f.At > atMax || f.Keep < 0 ||
			f.Keep > 100 {
			return fmt.Errorf("fault %d of the plan, %+v: want one of %s, at 1 or later, "+
				"of which 0 to 100 %% is kept", i, f, strings.Join(kindNames(kinds), ", "))
		}
		if f.Settings != nil {
			settings = append(settings, *f.Settings)
		}
	}
	for _, s := range settings {
		if min(s.MaxVats, s.MaxPrograms, s.Keep, s.Block, s.CheckpointBytes) < 1 ||
			min(s.SegmentBytes, s.PackBytes) < 1 || !slices.Contains(warehouse.Evictions, s.Evict) {
			return fmt.Errorf("settings %+v of the plan: want numbers from 1, and to evict by "+
				"one of %v", s, warehouse.Evictions)
		}
	}
	return nil
}

func kindNames(kinds []FaultKind) (all []string) {
	for _, k := range kinds {
		all = append(all, string(k))
	}
	return all
}

// WritePlan writes a plan, for people and for ReadPlan.
func WritePlan(w io.Writer, p Plan) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}
