package host

import (
	"context"
	"errors"
	"fmt"
	"io"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// Memory is what a vat's heap holds, by the hashes of its pages.
type Memory struct {
	// Heap has the globals, the size and the rest of the heap; its Pages is zero.
	Heap swing.Heap
	// Pages are the hashes of the memory's pages, of [swing.PageBytes] each.
	Pages []swing.Hash
}

// Memory returns what the heap of a vat that lives holds after its latest delivery. It
// may page the vat in; of what is recorded it changes nothing.
func (h *Host) Memory(ctx context.Context, vat swing.VatID) (Memory, error) {
	return read(h, func() (m Memory, err error) {
		if _, err = h.living(vat); err == nil {
			err = h.vats.Refresh(ctx, vat)
		}
		if err == nil {
			err = m.read(h.homes.byVat[vat].img)
		}
		if err != nil {
			return Memory{}, fmt.Errorf("memory of vat %s: %w",
				transcript.Text([]byte(vat)), damaged(err))
		}
		return m, nil
	})
}

// living returns a vat that lives.
func (h *Host) living(vat swing.VatID) (Vat, error) {
	v, err := h.vatState(vat)
	if err == nil && !v.Alive {
		err = fmt.Errorf("%w: it has ended", ErrNotFound)
	}
	return v, err
}

// heapImage is an image that holds a heap exactly.
type heapImage interface {
	io.ReaderAt
	Heap() swing.Heap
}

func (m *Memory) read(img heapImage) error {
	m.Heap = img.Heap()
	m.Heap.Pages = swing.Hash{}
	page := make([]byte, swing.PageBytes)
	for at := uint64(0); at < m.Heap.Size; at += swing.PageBytes {
		n, err := img.ReadAt(page, int64(at))
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read page %d: %w", at/swing.PageBytes, err)
		}
		clear(page[n:])
		m.Pages = append(m.Pages, swing.Sum("vatwarehouse memory page", page))
	}
	return nil
}
