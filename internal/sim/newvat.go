package sim

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// NewVat is a vat as a person asks for it.
type NewVat struct {
	Program string   // see Program
	Name    string   // "" is none
	Args    []string // parameters of its start: see Arguments
}

// Rehearse makes the vat in memory, where there is nothing else, and so finds out
// whether it could be made in a new directory.
func (v NewVat) Rehearse(ctx context.Context) error {
	code, err := v.check()
	if err != nil {
		return err
	}
	return inMemory(ctx, func(h *host.Host) error {
		body, slots, err := Arguments(h, v.Args)
		if err == nil {
			_, err = v.create(ctx, h, code, body, slots)
		}
		return err
	})
}

// Make makes the vat, and runs until all is quiet. What would be refused is refused
// before anything changes, the program's code in the store included.
func (v NewVat) Make(
	ctx context.Context, h *host.Host, o AskOptions,
) (id swing.VatID, ran host.Ran, err error) {
	code, err := v.check()
	if err != nil {
		return "", ran, err
	}
	body, slots, err := Arguments(h, v.Args)
	if err != nil {
		return "", ran, err
	}
	if most := h.Options().Limits.Slots; len(slots) > most {
		return "", ran, fmt.Errorf("%w: %d references, limit %d",
			host.ErrRefused, len(slots), most)
	}
	if taken, err := h.Vat(v.Name); err == nil {
		return "", ran, fmt.Errorf("%w: vat name %q is taken by %s",
			host.ErrRefused, v.Name, taken.ID)
	} else if !errors.Is(err, host.ErrNotFound) {
		return "", ran, err
	}
	err = inMemory(ctx, func(h *host.Host) error {
		_, err := v.create(ctx, h, code, body, nil)
		return err
	})
	if err != nil {
		return "", ran, err
	}
	if id, err = v.create(ctx, h, code, body, slots); err != nil || o.NoRun {
		return id, ran, err
	}
	ran, err = h.Run(ctx, host.Policy{Deliveries: o.Deliveries})
	return id, ran, err
}

// check refuses a name that would be taken for something else, and reads the program.
func (v NewVat) check() ([]byte, error) {
	if swing.VatID(v.Name).Validate() == nil || swing.KRef(v.Name).Validate() == nil {
		return nil, fmt.Errorf("%w: %q as a name would be taken for an id or a reference",
			host.ErrRefused, v.Name)
	}
	return Program(v.Program)
}

func (v NewVat) create(
	ctx context.Context, h *host.Host, code, body []byte, slots []swing.KRef,
) (id swing.VatID, err error) {
	hash, err := h.Install(ctx, code)
	if err != nil {
		return "", fmt.Errorf("program %s: %w", v.Program, err)
	}
	id, _, err = h.CreateVat(ctx, host.VatSpec{Name: v.Name, Code: hash, Body: body, Slots: slots})
	return id, err
}

// inMemory runs do with a host that leaves nothing behind.
func inMemory(ctx context.Context, do func(h *host.Host) error) error {
	h, err := host.Open(ctx, "", &host.Options{Interpreter: true})
	if err != nil {
		return err
	}
	return errors.Join(do(h), h.Close(ctx))
}
