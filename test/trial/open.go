package trial

import (
	"context"
	"fmt"
	"sync"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// kind is what an engine depends on.
type kind struct {
	interpreter bool
	memory      worker.Memory
	detector    worker.Detector
	limits      swing.Limits
}

// engines are those that the trials of a process share: a directory is opened so often, and
// runs so shortly, that compiling its programs would take most of the time.
var engines = struct {
	sync.Mutex
	of map[kind]*warehouse.Lasting
}{of: map[kind]*warehouse.Lasting{}}

// Open is [host.Open] with an engine that other openings share, unless the options ask for
// another or for a process, or grant memory.
func Open(ctx context.Context, dir string, o *host.Options) (*host.Host, error) {
	with := *o
	if !o.Isolate && o.Grant == nil && o.Engine == nil {
		shared, err := shared(ctx, kind{o.Interpreter, o.Memory, o.Detector, o.Limits})
		if err != nil {
			return nil, fmt.Errorf("open a trial: %w", err)
		}
		with.Engine = shared
	}
	return host.Open(ctx, dir, &with)
}

// shared returns the engine of a kind.
func shared(ctx context.Context, k kind) (*warehouse.Lasting, error) {
	engines.Lock()
	defer engines.Unlock()
	if e := engines.of[k]; e != nil {
		return e, nil
	}
	engine, err := worker.NewEngine(ctx, worker.Options{
		Interpreter: k.interpreter, Memory: k.memory, Detector: k.detector, Limits: k.limits,
	})
	if err != nil {
		return nil, err
	}
	engines.of[k] = warehouse.NewLasting(engine)
	return engines.of[k], nil
}
