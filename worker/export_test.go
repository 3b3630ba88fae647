package worker

// Memory returns the worker's memory itself, for tests that hold what Capture
// says against it.
func (w *Worker) Memory() []byte { return w.region.Reallocate(w.Size()) }
