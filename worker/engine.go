package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// Version names the engine. It is what go.mod requires; a test holds the two
// together.
const Version = "wazero v1.12.0"

// Memory says how a worker's memory comes from its image.
type Memory string

// The ways of memory.
const (
	// MemoryMapped maps the image copy-on-write: ready at once, whatever its
	// size. Where that cannot be had (not Linux, image not a file), it copies.
	MemoryMapped Memory = "mapped"
	// MemoryCopied reads the whole image into memory of its own.
	MemoryCopied Memory = "copied"
)

// Detector says how pages written since the image are found. All give the same
// pages, but for some that were written and are the same as before.
type Detector string

// The detectors. A worker whose memory is copied always compares.
const (
	// DetectScan asks Linux (6.7 or later) by PAGEMAP_SCAN; on an older kernel
	// it reads pagemap.
	DetectScan Detector = "scan"
	// DetectPagemap reads /proc/self/pagemap.
	DetectPagemap Detector = "pagemap"
	// DetectCompare compares all memory with the image.
	DetectCompare Detector = "compare"
)

// Options of an engine. All but Limits are private: they change no outcome.
type Options struct {
	// Interpreter runs programs in wazero's interpreter, not its compiler.
	Interpreter bool
	// CacheDir keeps compiled programs between runs; "" keeps none. What is in
	// it is machine code that will be run: it is made with mode 0700 and must
	// come from nobody else.
	CacheDir string
	// Memory is MemoryMapped if empty.
	Memory Memory
	// Detector is DetectScan if empty.
	Detector Detector
	// Limits are observable; the zero value is swing.DefaultLimits.
	Limits swing.Limits
	// Grant, unless nil, is asked before a worker gets memory of so many bytes, at its
	// start and when it grows. Its error is the world's: the program is told nothing.
	Grant func(bytes uint64) error `json:"-"`
	// Pretend, unless nil, has the engine say that its rewriter and its costs are of
	// other versions than they are: for tests of what a later version meets.
	Pretend *Meaning
}

func (o Options) validate() (Options, error) {
	if o.Memory == "" {
		o.Memory = MemoryMapped
	}
	if o.Detector == "" {
		o.Detector = DetectScan
	}
	if o.Limits == (swing.Limits{}) {
		o.Limits = swing.DefaultLimits()
	}
	if o.Memory != MemoryMapped && o.Memory != MemoryCopied {
		return o, fmt.Errorf("memory %q: want %q or %q", o.Memory, MemoryMapped, MemoryCopied)
	}
	switch o.Detector {
	case DetectScan, DetectPagemap, DetectCompare:
	default:
		return o, fmt.Errorf("detector %q: want %q, %q or %q",
			o.Detector, DetectScan, DetectPagemap, DetectCompare)
	}
	if o.Limits.MemoryBytes%wasmPageBytes != 0 || o.Limits.MemoryBytes <= 0 {
		return o, fmt.Errorf("memory limit of %d bytes: want a multiple of 64 KiB",
			o.Limits.MemoryBytes)
	}
	if o.Limits.Fuel <= 0 || o.Limits.Fuel > instrument.FuelMax {
		return o, fmt.Errorf("fuel limit of %d units: want 1 to %d",
			o.Limits.Fuel, instrument.FuelMax)
	}
	if o.Limits.Depth <= 0 || o.Limits.Depth > instrument.DepthMax {
		return o, fmt.Errorf("depth limit of %d frames: want 1 to %d",
			o.Limits.Depth, instrument.DepthMax)
	}
	return o, nil
}

// Engine compiles programs and runs them.
type Engine struct {
	options Options
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	mapped  atomic.Int64 // live mapped memories
	mapMax  int64        // how many there may be
}

// NewEngine returns an engine. Close it after all its programs.
func NewEngine(ctx context.Context, o Options) (*Engine, error) {
	config := wazero.NewRuntimeConfigCompiler()
	if o.Interpreter {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	return newEngine(ctx, o, config, hostModules)
}

func newEngine(
	ctx context.Context, o Options, config wazero.RuntimeConfig, modules []hostModule,
) (*Engine, error) {
	o, err := o.validate()
	if err != nil {
		return nil, fmt.Errorf("make engine: %w", err)
	}
	e := &Engine{options: o, mapMax: mappingsMax()}
	if o.CacheDir != "" && !o.Interpreter {
		if err := cleanCache(o.CacheDir); err != nil {
			return nil, fmt.Errorf("clean compilation cache: %w", err)
		}
		if e.cache, err = wazero.NewCompilationCacheWithDir(o.CacheDir); err != nil {
			return nil, fmt.Errorf("open compilation cache: %w", err)
		}
		config = config.WithCompilationCache(e.cache)
	}
	// What the normal form may need beyond WASM 2.0: sums as constants.
	features := api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst
	config = config.WithCoreFeatures(features)
	config = config.WithMemoryLimitPages(uint32(o.Limits.MemoryBytes / wasmPageBytes))
	e.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	for _, m := range modules {
		if err := m.instantiate(ctx, e.runtime); err != nil {
			return nil, fmt.Errorf("make host module %s: %w", m.name, err)
		}
	}
	return e, nil
}

// Limits returns the limits of what runs in it.
func (e *Engine) Limits() swing.Limits { return e.options.Limits }

// Fingerprint names what compiled and ran a program: engine, version and
// architecture. Heaps and transcripts do not depend on it; a change is a reason
// to replay rather than to trust a snapshot.
func (e *Engine) Fingerprint() string {
	kind := "compiler"
	if e.options.Interpreter {
		kind = "interpreter"
	}
	return fmt.Sprintf("%s %s %s", Version, kind, runtime.GOARCH)
}

// Close releases the engine. All workers must be closed before.
func (e *Engine) Close(ctx context.Context) error {
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(ctx), listCache(e.options.CacheDir))
	}
	if err != nil {
		return fmt.Errorf("close engine: %w", err)
	}
	return nil
}
