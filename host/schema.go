package host

import (
	"fmt"

	"vatwarehouse/kernel"
)

// migration brings the kernel's rows from one version to the next.
type migration struct {
	from uint64
	do   func(b kernel.Buffer) error
}

// migrations are all there are, of which each begins where one before it ended.
var migrations = []migration{{1, kernel.Migrate1}, {2, kernel.Migrate2}}

// schemaPlan is which version of the rows is wanted and how to get there. Tests have
// others than the program's.
type schemaPlan struct {
	version    uint64
	migrations []migration
}

func (p schemaPlan) withDefaults() schemaPlan {
	if p.version == 0 {
		p = schemaPlan{kernel.SchemaVersion, migrations}
	}
	return p
}

// checkSchema returns why rows of a version cannot be used, or nil. What of names
// the thing that has them.
func (p schemaPlan) checkSchema(of string, has uint64) error {
	if has > p.version {
		return fmt.Errorf("%w: the rows of %s are of schema %d, this program knows %d; "+
			"use the program that made it, or a later one", ErrFormat, of, has, p.version)
	}
	at := has
	for _, m := range p.migrations {
		if m.from == at {
			at++
		}
	}
	if at != p.version {
		return fmt.Errorf("%w: the rows of %s are of schema %d, this program knows %d, and "+
			"has no way from %d to %d; use the program that made it",
			ErrFormat, of, has, p.version, at, at+1)
	}
	return nil
}

// migrate brings the rows to the version that this program knows. All of it is in
// one block, or nothing; it is hashed, so every node must do it at the same point.
func (h *Host) migrate() error {
	p := h.options.schema.withDefaults()
	has := kernel.ReadSchema(h.kv)
	if err := p.checkSchema("the directory", has); err != nil {
		return err
	}
	if has == p.version {
		return nil
	}
	if err := p.migrate(h.kv, has); err != nil {
		return err
	}
	h.kv.Seal()
	return nil
}

// migrate brings rows of a version to the one that is wanted.
func (p schemaPlan) migrate(b kernel.Buffer, has uint64) error {
	for _, m := range p.migrations {
		if m.from != has {
			continue
		}
		if err := m.do(b); err != nil {
			return fmt.Errorf("migrate from schema %d: %w", has, err)
		}
		has++
	}
	kernel.SetSchema(b, p.version)
	return nil
}
