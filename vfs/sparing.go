package vfs

// spareBytes is what Sparing lets a file set aside.
const spareBytes = 1500

// Sparing returns files that set little space aside: in a simulation, a log that ends
// in megabytes of zeros would take most of the time.
func Sparing(files FS) FS { return sparing{files} }

type sparing struct{ FS }

// Create implements FS.
func (s sparing) Create(name string) (File, error) { return spare(s.FS.Create(name)) }

// Open implements FS.
func (s sparing) Open(name string) (File, error) { return spare(s.FS.Open(name)) }

func spare(f File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return sparingFile{f}, nil
}

type sparingFile struct{ File }

// Preallocate implements File.
func (f sparingFile) Preallocate(size int64) error {
	have, err := f.Size()
	if err != nil {
		return err
	}
	return f.File.Preallocate(min(size, have+spareBytes))
}
