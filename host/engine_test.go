package host_test

import (
	"errors"
	"reflect"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// TestEngineIsGiven: hosts that share an engine do what they do with one of their own, and
// leave it to whose it is; one with other limits than the directory's is refused.
func TestEngineIsGiven(t *testing.T) {
	t.Parallel()
	limits := swing.DefaultLimits()
	limits.Fuel = 30_000 // a life's
	engine, err := worker.NewEngine(ctx, worker.Options{Interpreter: true, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := engine.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	l := trial.Life{Seed: 3, Rounds: 6}
	own, err := l.Run(ctx, "", shortOptions(3))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		o := shortOptions(3)
		o.Engine = warehouse.Local{Engine: engine}
		if shared, err := l.Run(ctx, "", o); err != nil || !reflect.DeepEqual(shared, own) {
			t.Fatalf("%+v, %v, want %+v", shared, err, own)
		}
	}
	o := host.Options{FS: vfs.NewMem(), Engine: warehouse.Local{Engine: engine}}
	if h, err := host.Open(ctx, "", &o); !errors.Is(err, host.ErrOptions) {
		t.Errorf("%v, %v", h, err)
	}
}
