package streamstore

import (
	"errors"
	"fmt"

	"vatwarehouse/vfs"
)

// What callers tell apart. Every error of this package that is not one of these
// is the file system's own, wrapped.
var (
	// ErrCorrupt is returned for bytes that are not what was written, and that
	// no crash explains. The text names the file, the offset and what was found.
	ErrCorrupt = errors.New("log corrupt")
	// ErrBroken is returned once a write or a sync has failed, wrapped together
	// with that first failure. Only opening the log anew helps.
	ErrBroken = errors.New("log broken by an earlier failure")
	// ErrVersion is returned for a file made by a later version of this package.
	ErrVersion = errors.New("log format too new")
	// ErrForeign is returned by Open for a file in the directory that is not ours.
	ErrForeign = errors.New("file does not belong to the log")
	// ErrRange is returned by Read for positions that the stream does not hold.
	ErrRange = errors.New("positions not in the stream")
	// ErrClosed is returned by all that is done after Close.
	ErrClosed = errors.New("log closed")
)

// The limits, and the defaults of Options.
const (
	segmentBytesDefault = 16 << 20
	segmentBytesMax     = 1 << 30
	preallocateDefault  = 4 << 20
	itemBytesDefault    = 16 << 20
	itemBytesMax        = 32 << 20
	// blockBytesMax bounds the open block. With segmentBytesMax it keeps every
	// offset within 32 bits.
	blockBytesMax = 1 << 30
	// nameBytesMax bounds the name of a stream.
	nameBytesMax = 255
)

// Options say where a log lies and how it is kept. The zero value of each field
// but FS means its default. All of them are private: they change no hash.
type Options struct {
	// FS holds the log. It must not be nil.
	FS vfs.FS
	// Dir is the log's directory in FS; nothing else may lie in it. It is made
	// if need be. Default "log".
	Dir string
	// SegmentBytes is the size from which on the next block starts a new
	// segment. Default 16 MiB, at most 1 GiB. Archive holds a segment in memory.
	SegmentBytes int64
	// PreallocateBytes is the step in which a segment's space is set aside.
	// Default 4 MiB; negative sets none aside.
	PreallocateBytes int64
	// ItemBytes is the largest item Append takes. Default 16 MiB, at most 32 MiB.
	ItemBytes int
	// NoSync leaves out the syncs of Commit: a crash of the machine may then lose
	// the last blocks, any number of them, but never leaves part of one.
	NoSync bool
	// Identity names a new log, so that no file of another is taken for one of
	// its own, and items cannot imitate the log's own frames. Default: random.
	// An existing log keeps the one it has.
	Identity uint64
	// Durable is a block that is known to have been durable: by a table that was made
	// from it, say. Bad bytes up to its end, or an end before it, are damage and not
	// a crash's work. Default 0: nothing is known.
	Durable uint64
}

// withDefaults returns the options with every zero replaced, or what is wrong
// with them. A missing FS is a fault of the program.
func (o Options) withDefaults() (Options, error) {
	if o.FS == nil {
		panic("streamstore: Options.FS is nil")
	}
	if o.Dir == "" {
		o.Dir = "log"
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = segmentBytesDefault
	}
	if o.PreallocateBytes == 0 {
		o.PreallocateBytes = preallocateDefault
	}
	if o.ItemBytes == 0 {
		o.ItemBytes = itemBytesDefault
	}
	switch {
	case o.SegmentBytes < 0 || o.SegmentBytes > segmentBytesMax:
		return o, fmt.Errorf(
			"log options: SegmentBytes %d, limit %d",
			o.SegmentBytes,
			segmentBytesMax,
		)
	case o.PreallocateBytes > segmentBytesMax:
		return o, fmt.Errorf("log options: PreallocateBytes %d, limit %d",
			o.PreallocateBytes, segmentBytesMax)
	case o.ItemBytes < 0 || o.ItemBytes > itemBytesMax:
		return o, fmt.Errorf("log options: ItemBytes %d, limit %d", o.ItemBytes, itemBytesMax)
	}
	return o, nil
}

// Recovery says what Open found and did.
type Recovery struct {
	// Clean is set if the log was closed, or is new.
	Clean bool
	// Block is the last whole block.
	Block uint64
	// CutFile and CutOffset say where a torn tail was cut off, if CutFile is not
	// "". CutBytes counts the bytes cut, all later segments included, CutReason
	// is what was wrong with the first of them.
	CutFile   string
	CutOffset int64
	CutBytes  int64
	CutReason string
	// Damaged names the items whose bytes have changed, in blocks that were durable
	// once. They can't be read; everything else can.
	Damaged []error
	// Removed names the files that an interrupted Close, Archive or start of a
	// segment had left behind.
	Removed []string
}

// Stats count what a Store did since Open, and what there is now.
type Stats struct {
	Blocks        uint64 // committed
	Syncs         uint64 // of files, by Commit
	BytesAppended uint64 // to segments
	Items         uint64 // committed
	Streams       int
	Segments      int
	Archives      int
	DiskBytes     int64 // length of all segments and archives
}

// Fault is one thing wrong that Verify found.
type Fault struct {
	File   string
	Offset int64
	// Stream and Position name the first item concerned. Stream is "" if the
	// bytes hold none.
	Stream   string
	Position uint64
	Err      error
}

// damaged wraps what is wrong with bytes of a file, unless they are only newer.
func damaged(file string, offset int64, err error) error {
	if errors.Is(err, ErrVersion) {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return fmt.Errorf("%w: %s at byte %d: %w", ErrCorrupt, file, offset, err)
}

// corrupt says what is wrong with bytes of a file.
func corrupt(file string, offset int64, format string, args ...any) error {
	return fmt.Errorf(
		"%w: %s at byte %d: %s",
		ErrCorrupt,
		file,
		offset,
		fmt.Sprintf(format, args...),
	)
}
