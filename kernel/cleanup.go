package kernel

import (
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// cleanupQueue is the queue of vats that have ended and of which rows are left.
const cleanupQueue queue = "cleanup"

// swept is a row of cleanupQueue: what was removed of a vat is up to the place after.
type swept struct {
	vat   swing.VatID
	after string
}

func (s swept) encode() []byte {
	return swing.AppendBytes(swing.AppendText(swing.AppendArray(nil, 2), s.vat), []byte(s.after))
}

func readSwept(v []byte) (s swept) {
	r := swing.NewReader(v)
	r.Fields(2)
	s = swept{swing.VatID(r.Text()), string(r.Bytes())}
	done(r, string(cleanupQueue))
	return s
}

// cleanedKey is the row with the number of the last cleanup crank.
const cleanedKey = "cleaned"

func readCleaned(b vatkeeper.KV) (n uint64) {
	if !has(b, cleanedKey) {
		return 0
	}
	r := row(b, cleanedKey)
	n = r.Uint()
	done(r, cleanedKey)
	return n
}

// cleanupDue reports whether it is a cleanup's turn.
func (c *crank) cleanupDue() bool {
	if cleanupQueue.length(c.b) == 0 {
		return false
	}
	cranks, _ := readCrank(c.b)
	return cranks-readCleaned(c.b) >= c.options.CleanupEvery
}

// cleanup removes rows of the first of the ended vats, and reports whether there was one.
func (c *crank) cleanup() bool {
	row, ok := cleanupQueue.pop(c.b)
	if !ok {
		return false
	}
	s := readSwept(row)
	vk := vatkeeper.New(s.vat, c.b)
	changes, rows, next := vk.Sweep(s.after, int(c.options.CleanupRows))
	c.apply(s.vat, changes)
	if next == "" {
		vk.Forget()
		c.forgetInfo(vk)
	} else {
		cleanupQueue.pushFront(c.b, swept{s.vat, next}.encode())
	}
	cranks, _ := readCrank(c.b)
	c.b.Set(cleanedKey, swing.AppendUint(nil, cranks+1))
	c.report.Kind, c.report.Vat = Cleanup, s.vat
	c.report.Swept = Swept{Rows: rows, Last: next == ""}
	return true
}

// forgetInfo lets go of the references in a vat's last words. The words stay.
func (c *crank) forgetInfo(vk vatkeeper.Keeper) {
	e, _ := vk.End()
	for _, s := range e.Info.Slots {
		c.count(s, -1)
	}
	e.Info.Slots = nil
	vk.SetEnd(e)
}
