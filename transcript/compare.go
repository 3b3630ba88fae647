package transcript

import (
	"bytes"
	"fmt"

	"vatwarehouse/swing"
)

// Compare returns where an entry first differs from the one that it should be, or nil:
// the delivery, a syscall or its answer, or the outcome. Which vat it is, and that both
// have the same position, is the caller's to know.
func Compare(want, got Entry) *DivergenceError {
	d := &DivergenceError{Position: want.Position}
	if !bytes.Equal(want.Delivery, got.Delivery) {
		d.Syscall = AtDelivery
		d.texts(DescribeDelivery(want.Delivery), DescribeDelivery(got.Delivery),
			want.Delivery, got.Delivery)
		return d
	}
	for i := range max(len(want.Exchanges), len(got.Exchanges)) {
		d.Syscall = i
		switch {
		case i == len(want.Exchanges):
			d.Want, d.Got = "no further syscall", Describe(got.Exchanges[i])
			return d
		case i == len(got.Exchanges):
			d.Want, d.Got = Describe(want.Exchanges[i]), "no further syscall"
			return d
		}
		a, b := want.Exchanges[i], got.Exchanges[i]
		if a.Op != b.Op || !bytes.Equal(a.Request, b.Request) {
			d.texts(Describe(a), Describe(b), a.Request, b.Request)
			return d
		}
		if !bytes.Equal(a.Answer, b.Answer) {
			d.texts(Describe(a), Describe(b), a.Answer, b.Answer)
			return d
		}
	}
	if want.Outcome == got.Outcome && want.NoFuel == got.NoFuel {
		return nil
	}
	d.Syscall, d.Want, d.Got = AtOutcome, want.Ending(), got.Ending()
	return d
}

// texts takes the texts for people of two things that differ. Where they are cut before
// the difference, the hashes of what differs tell them apart.
func (d *DivergenceError) texts(want, got string, a, b []byte) {
	if want == got {
		of := func(text string, b []byte) string {
			hash := swing.Sum("vatwarehouse difference", b)
			return fmt.Sprintf("%s (%d bytes, %s)", text, len(b), hash.Short())
		}
		want, got = of(want, a), of(got, b)
	}
	d.Want, d.Got = want, got
}
