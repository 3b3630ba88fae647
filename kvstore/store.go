package kvstore

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// The ways a store fails. Every error of this package wraps one of them, an
// error of the file system, or both.
var (
	// ErrCorrupt marks bytes that are not what was written.
	ErrCorrupt = errors.New("corrupt")
	// ErrBroken marks a store that failed to write its table. It takes no more
	// checkpoints; a new Open and the log bring everything back.
	ErrBroken = errors.New("store is broken")
	// ErrPosition is returned for a change set that is not the next one.
	ErrPosition = errors.New("change set out of order")
	// ErrClosed is returned for what needs the table of a closed store.
	ErrClosed = errors.New("store is closed")
)

const (
	// KeyBytesMax bounds a key: bbolt takes no more than 32 KiB.
	KeyBytesMax = 4 << 10
	// ValueBytesMax bounds a value, so that a change set of one fits the log.
	ValueBytesMax = 16 << 20
	// PrivatePrefix begins the keys of this node alone: stored, but in no hash.
	PrivatePrefix = "local."

	// ActivityKey is the key of the activityhash, which Seal writes and nobody else.
	ActivityKey = "activityhash"
)

// Defaults of Options.
const (
	checkpointBytesDefault = 8 << 20
	cacheBytesDefault      = 8 << 20
	mapBytesDefault        = 1 << 30
)

// Domains and operations of what Seal hashes.
const (
	crankDomain    = "vatwarehouse crank"
	activityDomain = "vatwarehouse activity"
	opSet          = "+"
	opDelete       = "-"
)

// Options say where a store is and how it works. The zero value of a field is
// its default. All are private: none changes a hash or a change set.
type Options struct {
	// FS holds the table's file; there is no default. Where it has files of the
	// operating system the table is bbolt's, otherwise it is kept in memory and
	// written whole at each checkpoint.
	FS vfs.FS
	// Name is the table's file; "table". Beside it, Name with ".new" appended is
	// the store's to make and remove.
	Name string
	// CheckpointBytes is how many bytes of changes, each key with an overhead of
	// 160, make a checkpoint due; 8 MiB.
	CheckpointBytes int
	// CacheBytes bounds the reads that are remembered, counted likewise; 8 MiB.
	// Below 0 none is.
	CacheBytes int
	// MapBytes is how much of bbolt's file is mapped from the start; 1 GiB, or as
	// much as there is on 32-bit machines and on Windows. A table that outgrows it
	// is mapped anew, for which a checkpoint waits until the block is over.
	MapBytes int
	// Inline makes Checkpoint write the table before it returns. Otherwise it is
	// written in the background.
	Inline bool
	// NoSync leaves it to the operating system when the table reaches the disk:
	// after a power cut Open may find it corrupt, and the log before its position
	// may be gone. For tests and simulations.
	NoSync bool
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		panic("kvstore: Options.FS is nil")
	}
	if o.Name == "" {
		o.Name = "table"
	}
	if o.CheckpointBytes == 0 {
		o.CheckpointBytes = checkpointBytesDefault
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = cacheBytesDefault
	}
	if o.MapBytes == 0 && strconv.IntSize == 64 && runtime.GOOS != "windows" {
		o.MapBytes = mapBytesDefault
	}
	return o
}

// Store is ordered keys and values under a buffer of one crank and one block.
// It belongs to one goroutine.
type Store struct {
	o     Options
	table table
	// over, frozen and table are searched in this order.
	over   *overlay
	frozen *frozen
	// running brings the outcome of the checkpoint in flight; nil if there is none.
	running chan error

	position      uint64
	tablePosition uint64

	journal []write  // of the crank
	touched []*entry // of the block
	changed []*entry // room for Changes
	// offered says that Changes was asked since the last write.
	offered bool
	past    *Past // nil if nobody watches

	crank *swing.Hasher
	chain *swing.Hasher

	err    error
	closed bool
	stats  Stats
}

// Stats says what a store holds and has done.
type Stats struct {
	// Keys is how many keys the table holds as of its position.
	Keys uint64
	// ChangedKeys and ChangedBytes are what a checkpoint would write now.
	ChangedKeys  int
	ChangedBytes int
	// CachedBytes are of reads remembered.
	CachedBytes int
	// TableReads counts searches of the table.
	TableReads uint64
	// Checkpoints counts those that reached the table.
	Checkpoints uint64
	// MetaLost says that Open found one of bbolt's two meta pages unreadable. If
	// no crash explains it, the table may have fallen back by one checkpoint; the
	// log must still hold TablePosition.
	MetaLost bool
}

// Open opens the table, making it if there is none, and verifies all of it.
// A table that is refused is left as it is. The caller holds the lock on the
// directory. What the log holds from TablePosition on is then the caller's to
// feed to Redo.
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	t, err := openTable(o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Name, err)
	}
	h := t.head()
	return &Store{
		o:             o,
		table:         t,
		over:          newOverlay(),
		position:      h.position,
		tablePosition: h.position,
		crank:         swing.NewHasher(crankDomain),
		chain:         swing.NewHasher(activityDomain),
		stats:         Stats{Keys: h.count, MetaLost: t.metaLost()},
	}, nil
}

// Position returns how many change sets the store holds: the next Commit or
// Redo takes this position.
func (s *Store) Position() uint64 { return s.position }

// TablePosition returns how many change sets the table holds, durably: the log
// before this position may go.
func (s *Store) TablePosition() uint64 {
	s.poll()
	return s.tablePosition
}

// Err returns the first failure of any read or checkpoint. After a failed read
// the block is worth nothing: ask before Changes go to the log.
func (s *Store) Err() error {
	s.poll()
	return s.err
}

func (s *Store) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Stats returns what the store holds and has done.
func (s *Store) Stats() Stats {
	s.poll()
	st := s.stats
	st.ChangedKeys, st.ChangedBytes = s.over.dirtyKeys, s.over.dirtyBytes
	st.CachedBytes = s.over.cleanBytes
	return st
}

// Close waits for a checkpoint in flight and gives up the table. It starts no
// checkpoint: the log has what the table lacks. It returns the store's first
// failure, and does nothing the second time.
func (s *Store) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.Wait()
	if cerr := s.table.close(); cerr != nil && err == nil {
		err = fmt.Errorf("close %s: %w", s.o.Name, cerr)
	}
	return err
}
