package host

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker/process"
)

// ErrNoIsolation is returned by Open where there can be no worker process: it needs Linux,
// and a program that calls ServeWorker.
var ErrNoIsolation = process.ErrUnsupported

// ServeWorker is to be called first in main by a program that uses Options.Isolate. It
// returns false at once, but in a process that was started to run vats: there it returns
// true when that is over, and main must return.
func ServeWorker() bool { return process.Serve() }

// LethalError says that a delivery was tried several times, and the worker process died
// each time. It has not happened: the event is still queued.
type LethalError struct {
	Vat   swing.VatID
	Tries int
	Err   error // of the last time
}

// Error says how the process died.
func (e *LethalError) Error() string {
	return fmt.Sprintf("a delivery to vat %s was tried %d times, and each time %v",
		e.Vat, e.Tries, e.Err)
}

// Unwrap returns how the process died.
func (e *LethalError) Unwrap() error { return e.Err }

// triesMax is how often a delivery is tried that ends the worker process.
const triesMax = 3

// crank takes the next crank. One in which the worker process dies did not happen, and is
// taken again: from the event it began with, with the vat paged in anew.
func (h *Host) crank(ctx context.Context) (r kernel.Report, err error) {
	for range triesMax {
		r, err = h.kernel.Crank(ctx, h.kv)
		if !errors.As(err, new(*warehouse.LostError)) {
			return r, err
		}
	}
	return r, &LethalError{r.Vat, triesMax, err}
}
