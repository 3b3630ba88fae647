package worker

import (
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"vatwarehouse/worker/instrument"
)

// meter sets and reads the fuel of one worker's program.
type meter struct {
	word, refused api.MutableGlobal
	reserve       api.MutableGlobal // nil unless the program yields
	budget        uint64            // of the delivery in progress, in units
}

func (p *Program) accessMeter(m api.Module) (meter, error) {
	var t meter
	names := p.normal.Meter
	for name, g := range map[string]*api.MutableGlobal{
		names.Word: &t.word, names.Refused: &t.refused, names.Reserve: &t.reserve,
	} {
		if name == "" {
			continue
		}
		var ok bool
		if *g, ok = m.ExportedGlobal(name).(api.MutableGlobal); !ok {
			return meter{}, fmt.Errorf("the meter's global %q cannot be set", name)
		}
	}
	return t, nil
}

// fill gives the program so many units of fuel, and so many frames.
func (t *meter) fill(fuel uint64, depth int) {
	t.budget = min(fuel, instrument.FuelMax)
	t.refused.Set(0)
	now := t.budget
	if t.reserve != nil {
		now = min(now, instrument.YieldUnits)
		t.reserve.Set(instrument.Reserve(t.budget - now))
	}
	t.word.Set(instrument.Budget(now, depth))
}

// left returns how much fuel is left, below zero if there was not enough, and whether
// calls were too deep.
func (t *meter) left() (units int64, deep bool) {
	reserve := uint64(0)
	if t.reserve != nil {
		reserve = t.reserve.Get()
	}
	return instrument.Left(t.word.Get(), reserve)
}

// pay takes the price of what the host is about to do, and ends the program if it has no
// fuel for it.
func (d *delivering) pay(units uint64) {
	t := &d.worker.meter
	t.word.Set(instrument.Charge(t.word.Get(), units))
	if left, _ := t.left(); left < 0 {
		panic(stopProgram{})
	}
}

// payBytes takes the price of n bytes that the host copies, hashes or keeps.
func (d *delivering) payBytes(n int) { d.pay(uint64(n) * instrument.HostByteUnits) }
