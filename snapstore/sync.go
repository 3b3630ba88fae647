package snapstore

import (
	"fmt"
)

// Sync makes every object that was stored before the call durable. The host
// calls it before it writes the record that names a snapshot. After an error
// the store takes nothing more: it must be closed and opened again.
func (s *Store) Sync() error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if err := s.sync(); err != nil {
		return fmt.Errorf("sync snapshot store: %w", err)
	}
	return nil
}

// sync is Sync; syncing is held. Its order is what a crash must not break:
//
//  1. what is buffered is written to the active pack;
//  2. each pack that was closed for more is synced, and only then indexed: Open
//     trusts a pack that has an index without reading it;
//  3. the active pack is synced;
//  4. the names of new packs and index files are made durable.
func (s *Store) sync() error {
	s.mu.Lock()
	err := s.usableForWrite()
	if err == nil {
		err = s.flush()
	}
	unsealed, active, names := s.unsealed, s.active, s.newNames
	written := s.written
	s.written, s.newNames = false, false
	s.mu.Unlock()
	if err != nil {
		return err
	}
	err = s.syncFiles(unsealed, active, written, names)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return s.fail(err)
	}
	for _, p := range unsealed {
		p.sealed = true
	}
	s.unsealed = s.unsealed[len(unsealed):]
	return nil
}

// usableForWrite is writable with mu held.
func (s *Store) usableForWrite() error {
	if s.closed {
		return ErrClosed
	}
	return s.failed
}

func (s *Store) syncFiles(unsealed []*pack, active *pack, written, names bool) error {
	for _, p := range unsealed {
		if err := s.seal(p); err != nil {
			return fmt.Errorf("seal %s: %w", p.name(), err)
		}
	}
	if active != nil && written {
		if err := active.file.Sync(); err != nil {
			return fmt.Errorf("sync %s: %w", active.name(), err)
		}
	}
	if names || len(unsealed) > 0 {
		return s.o.FS.SyncDir(s.in(packsDir))
	}
	return nil
}

// seal syncs a pack and writes its index file.
func (s *Store) seal(p *pack) error {
	if err := p.file.Sync(); err != nil {
		return err
	}
	s.mu.Lock()
	x := packIndex{pack: p.number, size: p.size, check: p.check}
	s.index.each(func(e *entry) {
		if e.pack == p.number {
			x.entries = append(x.entries, *e)
		}
	})
	s.mu.Unlock()
	return s.writeFile(s.indexFile(p), x.encode())
}

// temporary ends the names of files that are being written. Open removes them.
const temporary = ".tmp"

// writeFile makes a file that has all its bytes or is not there, whatever
// crashes; its name is not durable until its directory is synced.
func (s *Store) writeFile(name string, b []byte) error {
	f, err := s.o.FS.Create(name + temporary)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return s.o.FS.Rename(name+temporary, name)
}
