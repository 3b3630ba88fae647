package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"

	"vatwarehouse/vfs"
)

// damage flips a bit of a copy of the files, and goes on there as far as that goes: to the
// same end, or until it is refused with an error. It is never silent. The run itself goes
// on without the damage.
func (m *simulation) damage(ctx context.Context, f *PlannedFault) error {
	files := m.files.Crash(0, 100)
	name, err := flip(files, rand.New(rand.NewPCG(f.Draw, 1)))
	if err != nil || name == "" {
		return err
	}
	var told error
	err = m.toTheEnd(ctx, files, &told)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrOtherEnd) || m.failure != nil {
		return fmt.Errorf("a flipped bit of %s: %w", name, err)
	}
	m.out.mark(MarkRefused, err != nil)
	m.out.mark(MarkHealed, err == nil && told != nil)
	return nil
}

// flip changes one bit of one file, both drawn. It returns the file's name, or "" if
// there is none with anything in it.
func flip(files vfs.FS, rng *rand.Rand) (name string, err error) {
	names, err := plainFiles(files, vfs.Root)
	if err != nil || len(names) == 0 {
		return "", err
	}
	name = names[rng.IntN(len(names))]
	file, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil || size == 0 {
		return "", err
	}
	at, b := rng.Int64N(size), make([]byte, 1)
	if _, err := file.ReadAt(b, at); err != nil {
		return "", err
	}
	b[0] ^= 1 << rng.IntN(8)
	_, err = file.WriteAt(b, at)
	return name, err
}

// plainFiles lists the files of a directory and all below it.
func plainFiles(files vfs.FS, dir string) (all []string, err error) {
	names, err := files.List(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		name = path.Join(dir, name)
		below, err := plainFiles(files, name)
		if errors.Is(err, vfs.ErrNotPlain) {
			all = append(all, name)
		} else if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return all, nil
}
