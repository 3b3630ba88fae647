package trial

import "vatwarehouse/vfs"

// spareBytes is what [Sparing] lets a file set aside.
const spareBytes = 1500

// Sparing returns files that set little space aside: a log that ends in megabytes
// of zeros would take most of a trial's time.
func Sparing(files vfs.FS) vfs.FS { return sparing{files} }

type sparing struct{ vfs.FS }

// Create implements vfs.FS.
func (s sparing) Create(name string) (vfs.File, error) { return spare(s.FS.Create(name)) }

// Open implements vfs.FS.
func (s sparing) Open(name string) (vfs.File, error) { return spare(s.FS.Open(name)) }

func spare(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return sparingFile{f}, nil
}

type sparingFile struct{ vfs.File }

// Preallocate implements vfs.File.
func (f sparingFile) Preallocate(size int64) error {
	have, err := f.Size()
	if err != nil {
		return err
	}
	return f.File.Preallocate(min(size, have+spareBytes))
}
