package host

import (
	"context"
	"fmt"

	"vatwarehouse/worker"
)

// Lint says what is in a program, and whether Install would take it: what it imports
// and exports, its sizes beside the limits, what is rewritten, and all reasons found
// to refuse it. It is compiled, but not run, and nothing is kept of it. A program that
// would be refused is no error.
func (h *Host) Lint(ctx context.Context, code []byte) (worker.Inspection, error) {
	return read(h, func() (worker.Inspection, error) {
		found, err := h.engine.Inspect(ctx, code)
		if err != nil {
			return worker.Inspection{}, fmt.Errorf("lint program: %w", err)
		}
		return found, nil
	})
}
