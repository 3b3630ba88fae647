package swing

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/zeebo/blake3"
)

// HashBytes is the size of a [Hash].
const HashBytes = 32

// Hash is a BLAKE3-256 digest. The zero Hash stands for "nothing": it is the
// start of every chain and the name of an all-zero subtree of pages.
type Hash [HashBytes]byte

// String returns the digest in lower-case hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short returns the first 12 hex digits, for people.
func (h Hash) Short() string { return hex.EncodeToString(h[:6]) }

// IsZero reports whether h is the zero Hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// ParseHash reads what String writes.
func ParseHash(s string) (h Hash, err error) {
	if len(s) != 2*HashBytes {
		return h, fmt.Errorf("%w: a hash is %d hex digits, not %d",
			ErrEncoding, 2*HashBytes, len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil || h.String() != s {
		return Hash{}, fmt.Errorf("%w: %q is no hash in lower-case hex", ErrEncoding, clip(s))
	}
	return h, nil
}

// Sum returns the digest of a domain and parts. Every piece is preceded by its
// length, so no two lists of pieces share an input. The pieces are gathered
// first, unless one is large: making a BLAKE3 hasher costs more than copying a few
// hundred bytes.
func Sum(domain string, parts ...[]byte) Hash {
	if slices.ContainsFunc(parts, large) {
		h := NewHasher(domain)
		for _, p := range parts {
			h.Add(p)
		}
		return h.Sum()
	}
	var room [1024]byte
	b := binary.LittleEndian.AppendUint64(room[:0], uint64(len(domain)))
	b = append(b, domain...)
	for _, p := range parts {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(p))), p...)
	}
	return blake3.Sum256(b)
}

// large reports whether a piece takes longer to copy than a hasher to make.
func large(piece []byte) bool { return len(piece) > 16<<10 }

// SumPage returns the digest of one heap page, without domain or length: it is
// the hot loop of every snapshot, and pages have one fixed length.
func SumPage(page []byte) Hash { return blake3.Sum256(page) }

// Hasher digests length-prefixed pieces under a domain. It may be reused with
// Reset; the domain is kept.
type Hasher struct {
	domain string
	h      *blake3.Hasher
	buf    []byte
}

// hasherBufferBytes gathers small pieces before they reach BLAKE3, which costs
// a function call and block bookkeeping for each write.
const hasherBufferBytes = 1024

// NewHasher returns a Hasher for the domain.
func NewHasher(domain string) *Hasher {
	h := &Hasher{domain: domain, h: blake3.New(), buf: make([]byte, 0, hasherBufferBytes)}
	h.Reset()
	return h
}

// Reset forgets all pieces.
func (h *Hasher) Reset() {
	h.h.Reset()
	h.buf = h.buf[:0]
	h.AddString(h.domain)
}

// Add appends one piece.
func (h *Hasher) Add(p []byte) {
	h.length(len(p))
	if len(h.buf)+len(p) > cap(h.buf) {
		h.flush()
	}
	if len(p) > cap(h.buf) {
		h.write(p)
		return
	}
	h.buf = append(h.buf, p...)
}

// AddString appends one piece.
func (h *Hasher) AddString(s string) {
	h.length(len(s))
	for len(h.buf)+len(s) > cap(h.buf) {
		n := cap(h.buf) - len(h.buf)
		h.buf = append(h.buf, s[:n]...)
		s = s[n:]
		h.flush()
	}
	h.buf = append(h.buf, s...)
}

// Sum returns the digest of the pieces so far. The Hasher needs a Reset before
// it is used for anything else.
func (h *Hasher) Sum() (sum Hash) {
	h.flush()
	h.h.Sum(sum[:0])
	return sum
}

func (h *Hasher) length(n int) {
	if len(h.buf)+8 > cap(h.buf) {
		h.flush()
	}
	h.buf = binary.LittleEndian.AppendUint64(h.buf, uint64(n))
}

func (h *Hasher) flush() {
	h.write(h.buf)
	h.buf = h.buf[:0]
}

func (h *Hasher) write(p []byte) {
	if _, err := h.h.Write(p); err != nil {
		panic(fmt.Sprintf("swing: blake3 refused a write: %v", err))
	}
}

// Stream fills dst with the bytes at [offset, offset+len(dst)) of the endless
// stream that seed names: BLAKE3's extendable output. It is where a vat's
// random numbers come from; offset is part of the vat's heap.
func Stream(seed Hash, offset uint64, dst []byte) {
	h := blake3.New()
	if _, err := h.Write(seed[:]); err != nil {
		panic(fmt.Sprintf("swing: blake3 refused a write: %v", err))
	}
	d := h.Digest()
	if _, err := d.Seek(int64(offset), io.SeekStart); err != nil {
		panic(fmt.Sprintf("swing: blake3 refused a seek: %v", err))
	}
	if _, err := io.ReadFull(d, dst); err != nil {
		panic(fmt.Sprintf("swing: blake3 refused a read: %v", err))
	}
}
