package streamstore

import (
	"errors"
	"path"
	"slices"
	"sync"

	"vatwarehouse/vfs"
)

// volumesMax bounds the files kept open for reading besides those being read.
const volumesMax = 32

// volume is a segment or archive opened for reading. It outlives its name: who
// has acquired it can read on while another removes it.
type volume struct {
	name string // in the log's directory
	file vfs.File
	refs int
	gone bool // not on the shelf any more

	// footer is read when first asked for, outside the log's mutex.
	footerMu sync.Mutex
	footer   *footer
}

// index returns an archive's footer.
func (v *volume) index(h archiveHead, path string) (*footer, error) {
	v.footerMu.Lock()
	defer v.footerMu.Unlock()
	if v.footer == nil {
		x, err := h.readFooter(v.file, path)
		if err != nil {
			return nil, err
		}
		v.footer = x
	}
	return v.footer, nil
}

// shelf holds the volumes used last. The log's mutex guards it.
type shelf struct {
	fs      vfs.FS
	dir     string
	volumes []*volume // used last first
}

// acquire returns the named file, for the caller to release.
func (h *shelf) acquire(name string) (*volume, error) {
	i := slices.IndexFunc(h.volumes, func(v *volume) bool { return v.name == name })
	if i < 0 {
		file, err := h.fs.Open(path.Join(h.dir, name))
		if err != nil {
			return nil, err
		}
		if n := len(h.volumes); n == volumesMax {
			h.drop(n - 1) // it stays open for who has acquired it
		}
		h.volumes = append(h.volumes, &volume{name: name, file: file})
		i = len(h.volumes) - 1
	}
	v := h.volumes[i]
	copy(h.volumes[1:i+1], h.volumes[:i])
	h.volumes[0] = v
	v.refs++
	return v, nil
}

// drop takes a volume off the shelf and closes it once nobody uses it. What
// closing a file that was only read returns is of no interest.
func (h *shelf) drop(i int) {
	v := h.volumes[i]
	h.volumes = slices.Delete(h.volumes, i, i+1)
	v.gone = true
	if v.refs == 0 {
		v.file.Close()
	}
}

// release gives back what acquire returned.
func (h *shelf) release(v *volume) {
	v.refs--
	if v.gone && v.refs == 0 {
		v.file.Close()
	}
}

// forget drops the volume of a file that is about to be removed.
func (h *shelf) forget(name string) {
	if i := slices.IndexFunc(h.volumes, func(v *volume) bool { return v.name == name }); i >= 0 {
		h.drop(i)
	}
}

// close drops every volume.
func (h *shelf) close() {
	for len(h.volumes) > 0 {
		h.drop(0)
	}
}

// replace writes a whole file so that after a crash either the old one or the
// new one is there: under a temporary name, synced, renamed, its name synced.
func (h *shelf) replace(name string, write func(f vfs.File) error) error {
	temp, final := path.Join(h.dir, name+suffixTemp), path.Join(h.dir, name)
	f, err := h.fs.Create(temp)
	if err != nil {
		return err
	}
	if err := errors.Join(writeSynced(f, write), f.Close()); err != nil {
		return err
	}
	if err := h.fs.Rename(temp, final); err != nil {
		return err
	}
	return h.fs.SyncDir(h.dir)
}

// writeSynced writes a file and makes its content durable.
func writeSynced(f vfs.File, write func(f vfs.File) error) error {
	if err := write(f); err != nil {
		return err
	}
	return f.Sync()
}
