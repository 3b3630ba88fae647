package host

import (
	"fmt"

	"vatwarehouse/vfs"
)

// openScratch takes the directory for this process as openFiles does, and lays a
// file system over it that keeps in memory whatever is written from then on.
func (h *Host) openScratch(dir string) (err error) {
	h.options.Existing = true
	under := h.options.FS
	if under == nil {
		if err := refuseForeign(dir, h.options.Existing); err != nil {
			return err
		}
		if h.dir, err = vfs.Open(dir); err != nil {
			return err
		}
		under = h.dir
	}
	// First a look, then the lock, as in openFiles.
	h.fs = under
	if made, err := h.checkFormat(); err != nil || !made {
		return orNothing(err)
	}
	if h.lock, err = under.Lock(lockName); err != nil {
		return err
	}
	h.fs = vfs.Overlay(under)
	if made, err := h.checkFormat(); err != nil || !made {
		return orNothing(err)
	}
	return nil
}

func orNothing(err error) error {
	if err == nil {
		err = fmt.Errorf("%w: it holds no kernel yet", ErrNotFound)
	}
	return err
}
