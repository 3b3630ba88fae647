package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"vatwarehouse/host"
	"vatwarehouse/vfs"
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
	Deliveries uint64         `json:"deliveries"`
	Messages   uint64         `json:"messages,omitempty"`
	Settings   Settings       `json:"settings"`
	Faults     []PlannedFault `json:"faults"`

	plant func(files vfs.FS) vfs.FS // of tests: a fault of ours
}

// Settings are the private options that a simulated run is begun, or goes on, with.
type Settings struct {
	MaxVats          int   `json:"max_vats"`
	Block            int   `json:"block"` // cranks
	SnapshotInitial  int   `json:"snapshot_initial"`
	SnapshotInterval int   `json:"snapshot_interval"`
	KeepSnapshots    int   `json:"keep_snapshots"`
	PauseOnEvict     bool  `json:"pause_on_evict"`
	SegmentBytes     int64 `json:"segment_bytes"`
	CheckpointBytes  int   `json:"checkpoint_bytes"`
	Compiled         bool  `json:"compiled"` // by the engine's compiler, not interpreted
}

// PlannedFault is one thing that goes wrong in a simulated run.
type PlannedFault struct {
	Kind FaultKind `json:"kind"`
	// At is when, counted from the latest opening of the directory: in file operations of
	// the kind, in requests for memory, or in cranks; from 1.
	At uint64 `json:"at"`
	// Keep is how much a crash leaves of what was not synced, in percent.
	Keep int `json:"keep,omitempty"`
	// Draw seeds what else there is to choose: what a crash leaves, which bit is flipped.
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
	FaultRestart  FaultKind = "restart"    // in good order
	FaultSettings FaultKind = "settings"   // a restart with other private options
)

// FaultKinds are all there are.
var FaultKinds = []FaultKind{
	FaultCrash, FaultFull, FaultChange, FaultTorn, FaultRead, FaultDamage, FaultMemory,
	FaultRestart, FaultSettings,
}

// The bounds of what is drawn.
const (
	plannedFaultsMax  = 6
	plannedDeliveries = 150 // of a scenario that is longer, unless the caller wants more
	// compiledFrom is from how many deliveries on a run is compiled: that saves more time
	// than it takes. Of shorter ones some are.
	compiledFrom = 5_000
)

// Draw returns the plan of a seed: every one draws another workload, other options, and
// a mix of some kinds of faults, of which it leaves others out altogether. Deliveries is
// how many there are at most; 0 leaves that to Draw.
func (s *Scenario) Draw(seed, deliveries uint64) Plan {
	rng := rand.New(rand.NewPCG(seed, 0x73696d))
	most := deliveries
	if most == 0 {
		most = plannedDeliveries
	}
	if n := s.Length.Deliveries; n > 0 {
		most = min(most, n)
	}
	p := Plan{
		Scenario: s.Name, Seed: fmt.Sprintf("%s/%d", s.Seed, seed),
		Deliveries: 1 + rng.Uint64N(most), Messages: s.Length.Messages,
		Settings: drawSettings(rng), Faults: []PlannedFault{},
	}
	p.Settings.Compiled = p.Settings.Compiled || p.Deliveries >= compiledFrom
	kinds := slices.Clone(FaultKinds)
	rng.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	kinds = kinds[:1+rng.IntN(len(kinds))]
	for range 1 + rng.IntN(plannedFaultsMax) {
		p.Faults = append(p.Faults, drawFault(rng, kinds[rng.IntN(len(kinds))], p.Deliveries))
	}
	return p
}

func drawSettings(rng *rand.Rand) Settings {
	return Settings{
		MaxVats: 2 + rng.IntN(8), Block: 1 + rng.IntN(30), SnapshotInitial: 1 + rng.IntN(4),
		SnapshotInterval: 1 + rng.IntN(12), KeepSnapshots: 1 + rng.IntN(3),
		PauseOnEvict: rng.IntN(3) == 0, SegmentBytes: 3<<10 + rng.Int64N(30<<10),
		CheckpointBytes: 3<<10 + rng.IntN(30<<10), Compiled: rng.IntN(16) == 0,
	}
}

// drawFault draws when a fault comes: soon after the opening, or at any time of a run of
// so many deliveries. A delivery makes about two changes of files.
func drawFault(rng *rand.Rand, kind FaultKind, deliveries uint64) PlannedFault {
	f := PlannedFault{Kind: kind, Draw: rng.Uint64N(1 << 32)}
	within := 1 + deliveries
	switch kind {
	case FaultCrash, FaultFull, FaultChange, FaultTorn, FaultRead:
		within *= 2
	case FaultMemory:
		within = 1 + within/4
	case FaultDamage, FaultRestart, FaultSettings:
	}
	if rng.IntN(3) == 0 {
		within = min(within, 40)
	}
	f.At = 1 + rng.Uint64N(within)
	if kind == FaultCrash {
		f.Keep = []int{0, 50, 100}[rng.IntN(3)]
	}
	if kind == FaultSettings {
		s := drawSettings(rng)
		f.Settings = &s
	}
	return f
}

// options returns the host's options.
func (s Settings) options() host.Options {
	o := host.Options{
		Inline: true, MaxVats: s.MaxVats, BlockCranks: s.Block, KeepSnapshots: s.KeepSnapshots,
		PauseOnEvict: s.PauseOnEvict, SegmentBytes: s.SegmentBytes,
		CheckpointBytes: s.CheckpointBytes,
	}
	o.Snapshots.Initial, o.Snapshots.Interval = s.SnapshotInitial, s.SnapshotInterval
	return o
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
	for i, f := range p.Faults {
		if !slices.Contains(FaultKinds, f.Kind) || f.At < 1 || f.At > atMax || f.Keep < 0 ||
			f.Keep > 100 {
			return fmt.Errorf("fault %d of the plan, %+v: want one of %s, at 1 or later, "+
				"of which 0 to 100 %% is kept", i, f, strings.Join(kindNames(), ", "))
		}
		if f.Settings != nil {
			settings = append(settings, *f.Settings)
		}
	}
	for _, s := range settings {
		if min(s.MaxVats, s.Block, s.SnapshotInitial, s.SnapshotInterval, s.KeepSnapshots,
			int(s.SegmentBytes), s.CheckpointBytes) < 1 {
			return fmt.Errorf("settings %+v of the plan: want numbers from 1", s)
		}
	}
	return nil
}

func kindNames() (names []string) {
	for _, k := range FaultKinds {
		names = append(names, string(k))
	}
	return names
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
