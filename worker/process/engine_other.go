//go:build !linux

package process

import (
	"context"
	"fmt"
	"runtime"

	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// Options of an engine.
type Options struct {
	worker.Options
	Binary string
}

// Engine is none: there are no worker processes on this system.
type Engine struct{}

// New returns ErrUnsupported.
func New(Options) (*Engine, error) {
	return nil, fmt.Errorf("%w: this is %s", ErrUnsupported, runtime.GOOS)
}

// Compile is never called.
func (*Engine) Compile(context.Context, []byte) (warehouse.Program, error) {
	return nil, ErrUnsupported
}

// Limits is never called.
func (*Engine) Limits() (l swing.Limits) { return l }

// PID is never called.
func (*Engine) PID() int { return 0 }

// Close is never called.
func (*Engine) Close() error { return nil }

// Serve returns false: no process is started to serve.
func Serve() bool { return false }
