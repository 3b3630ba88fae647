package host

import (
	"bytes"
	"fmt"

	"vatwarehouse/swing"
)

// Output is what leaves the kernel: the resolution of a promise that the
// embedder holds, or what a device posts. It is released once its block is durable,
// and never before.
type Output struct {
	Number   uint64     // from 0, without gaps
	Device   string     // "" unless a device posted it; then it has no Promise
	Promise  swing.KRef // the embedder's
	Rejected bool
	Data     swing.CapData[swing.KRef]
}

// outputVersion is the first field of every encoded output.
const outputVersion = 1

func (o Output) encode() []byte {
	b := swing.AppendUint(swing.AppendArray(nil, 6), outputVersion)
	b = swing.AppendText(swing.AppendText(b, o.Device), o.Promise)
	b = swing.AppendBool(b, o.Rejected)
	return swing.AppendCapData(b, o.Data)
}

func decodeOutput(number uint64, b []byte) (o Output, err error) {
	r := swing.NewReader(b)
	r.Fields(6)
	if v := r.Uint(); r.Err() == nil && v != outputVersion {
		r.Fail(fmt.Errorf("%w: output version %d", swing.ErrEncoding, v))
	}
	o = Output{Number: number, Device: r.Text(), Promise: swing.KRef(r.Text()), Rejected: r.Bool()}
	o.Data = swing.ReadCapData[swing.KRef](r)
	if err := r.Done(); err != nil {
		return Output{}, fmt.Errorf("output %d: %w", number, err)
	}
	return o, nil
}

const outputsKey = "local.outputs"

// outputs returns how many outputs there are.
func (h *Host) outputs() uint64 {
	b, ok := h.kv.Get(outputsKey)
	if !ok {
		return 0
	}
	n, err := decodeOutputs(b)
	if err != nil {
		panic(fmt.Sprintf("host: %v", err))
	}
	return n
}

// decodeOutputs reads the row with the number of outputs.
func decodeOutputs(b []byte) (uint64, error) {
	r := swing.NewReader(b)
	n := r.Uint()
	if err := r.Done(); err != nil {
		return 0, &RowError{Key: outputsKey, Err: err}
	}
	return n, nil
}

// Outputs returns up to most outputs from a number on, for an embedder that must
// not miss one: whatever it last dealt with, it asks for what follows.
func (h *Host) Outputs(from uint64, most int) (outputs []Output, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ready(); err != nil {
		return nil, err
	}
	for b, err := range h.items(outputsStream, from, min(from+uint64(most), h.outputs())) {
		if err != nil {
			return outputs, damaged(err)
		}
		o, err := decodeOutput(from+uint64(len(outputs)), b)
		if err != nil {
			return outputs, err
		}
		o.Data.Body = bytes.Clone(o.Data.Body) // the log's own until the next
		outputs = append(outputs, o)
	}
	return outputs, nil
}
