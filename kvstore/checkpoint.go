package kvstore

import "fmt"

// CheckpointDue reports whether the changes since the table have reached
// Options.CheckpointBytes.
func (s *Store) CheckpointDue() bool { return s.over.dirtyBytes >= s.o.CheckpointBytes }

// Checkpoint starts to write the changes up to Position into the table; the log
// must hold them durably, or a crash could leave the table ahead of it. One runs
// at a time: it first waits for the one before. It returns the store's first
// failure; that of the checkpoint itself comes from Wait or Err.
//
// Why reads stay right while it runs:
//  1. what is written is frozen: from here on writes go to a new overlay above it;
//  2. the frozen overlay is searched before the table, so it does not matter
//     whether a read sees the table as it was or as it will be;
//  3. it is replaced only by the next Checkpoint, and the reader's view of the
//     table has been renewed by then.
func (s *Store) Checkpoint() error {
	if len(s.touched) > 0 {
		panic(fmt.Sprintf("kvstore: checkpoint at position %d inside a block of %d keys",
			s.position, len(s.touched)))
	}
	if err := s.Wait(); err != nil {
		return err
	}
	if s.closed {
		return fmt.Errorf("checkpoint %s: %w", s.o.Name, ErrClosed)
	}
	if s.position == s.tablePosition {
		return nil
	}
	return s.startCheckpoint()
}

// startCheckpoint writes what has changed into the table.
func (s *Store) startCheckpoint() error {
	s.table.release()
	s.frozen = s.over.freeze(s.position)
	s.over = newOverlay()
	run := s.table.checkpoint(s.frozen.position, s.frozen.sorted)
	s.running = make(chan error, 1)
	if s.o.Inline {
		s.running <- run()
		return s.Wait()
	}
	go func(done chan<- error) { done <- run() }(s.running)
	return nil
}

// Wait waits for the checkpoint in flight, if there is one, and returns the
// store's first failure.
func (s *Store) Wait() error {
	if s.running != nil {
		// A checkpoint that maps the file anew waits for readers. Without this it
		// would wait for us, and we for it.
		s.table.release()
		s.finish(<-s.running)
	}
	return s.err
}

// poll takes notice of a checkpoint that is over.
func (s *Store) poll() {
	select {
	case err := <-s.running:
		s.finish(err)
	default:
	}
}

func (s *Store) finish(err error) {
	s.running = nil
	if err != nil {
		s.fail(fmt.Errorf("checkpoint %s at position %d: %w: %w",
			s.o.Name, s.frozen.position, ErrBroken, err))
		return
	}
	// A read from here on must see the new table: the frozen overlay is only a
	// cache now, and Next no longer looks at it.
	s.table.release()
	s.frozen.written = true
	s.tablePosition = s.frozen.position
	s.stats.Keys = s.table.head().count
	s.stats.Checkpoints++
}
