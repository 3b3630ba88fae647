package worker

import "fmt"

// Footprint returns the pages that were written since the image, in order: those that
// [Worker.Capture] would name.
func (w *Worker) Footprint() ([]uint32, error) {
	pages, err := w.region.written(nil, w.Size())
	if err != nil {
		return nil, fmt.Errorf("find written pages: %w", err)
	}
	return pages, nil
}

// Prefetch makes pages, which are in order, ready to be written, all at once: faster than
// by a fault for each. They count as written from then on. Copied memory is ready.
func (w *Worker) Prefetch(pages []uint32) error {
	if err := w.region.prefetch(pages); err != nil {
		return fmt.Errorf("prefetch %d pages: %w", len(pages), err)
	}
	return nil
}
