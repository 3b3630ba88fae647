package snapstore

import (
	"errors"
	"fmt"
	"io"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// scanWindowBytes is how much of a pack is read at once.
const scanWindowBytes = 4 * (recordBytesMax + 1)

// scan reads a pack from its start, frame by frame, and says what is there.
type scan struct {
	file   vfs.File
	number uint32
	size   int64
	// record is called for every record. After a hole chained is false until
	// the scan ends: such a record may be one that a guest wrote into a page.
	record func(at int64, r record, chained bool) error
	// hole is called for every row of bytes that are no record in its place.
	hole func(start, end int64, problem error)

	window []byte // the bytes from start on
	start  int64
	check  uint32 // of the last frame in the unbroken chain from the start
	end    int64  // where that frame ends
}

// run scans the pack. Its errors are those of reading, of a format it does not
// know, and of the record function.
func (sc *scan) run() error {
	at, chained, err := sc.header()
	for err == nil && at < sc.size {
		at, chained, err = sc.step(at, chained)
	}
	return err
}

// header checks the first frame. Like step it returns where the next is.
func (sc *scan) header() (next int64, chained bool, err error) {
	b, err := sc.bytes(0)
	if err != nil || len(b) == 0 {
		return 0, true, err
	}
	f, err := frame.Decode(b)
	if err == nil {
		err = checkPackHeader(f, sc.number)
	}
	if errors.Is(err, ErrVersion) {
		return 0, false, err
	}
	if err != nil {
		next, ferr := sc.resume(1)
		sc.hole(0, next, err)
		return next, false, ferr
	}
	sc.check, sc.end = f.Check, int64(f.Bytes())
	return sc.end, true, nil
}

// step takes the record at a place, or the hole, and returns where the next is.
func (sc *scan) step(at int64, chained bool) (int64, bool, error) {
	b, err := sc.bytes(at)
	if err != nil {
		return at, chained, err
	}
	r, err := decodeRecord(b)
	if err == nil && chained && r.seed != sc.check {
		err = fmt.Errorf("a record that follows check %08x, not %08x", r.seed, sc.check)
	}
	if err != nil {
		next, ferr := sc.resume(at + 1)
		sc.hole(at, next, err)
		return next, false, ferr
	}
	next := at + int64(r.bytes())
	if chained {
		sc.check, sc.end = r.check, next
	}
	return next, chained, sc.record(at, r, chained)
}

// resume returns the next place where a record can be read, or the end.
func (sc *scan) resume(at int64) (int64, error) {
	for ; at < sc.size; at++ {
		b, err := sc.bytes(at)
		if err != nil {
			return at, err
		}
		if _, err := decodeRecord(b); err == nil {
			return at, nil
		}
	}
	return sc.size, nil
}

// bytes returns what the pack holds at a place: a whole record, if one is there.
func (sc *scan) bytes(at int64) ([]byte, error) {
	left := sc.size - at
	if have := sc.start + int64(len(sc.window)) - at; at < sc.start ||
		have < min(left, recordBytesMax) {
		if sc.window == nil {
			sc.window = make([]byte, min(sc.size, scanWindowBytes))
		}
		sc.window = sc.window[:min(left, int64(cap(sc.window)))]
		n, err := sc.file.ReadAt(sc.window, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if n < len(sc.window) {
			sc.size = at + int64(n) // the file ends here, whatever was said
		}
		sc.window, sc.start = sc.window[:n], at
	}
	return sc.window[at-sc.start:], nil
}
