package streamstore

import (
	"fmt"
	"path"

	"vatwarehouse/vfs"
)

// repair brings the directory into order, once nothing speaks against it: it
// removes what was left over, cuts the torn tail, makes durable what was read,
// and takes back the mark of Close. All of it is durable before anything is
// appended: bytes that were cut never come back behind new ones.
func (p *opener) repair() error {
	for _, name := range p.garbage {
		if err := p.o.FS.Remove(p.path(name)); err != nil {
			return err
		}
	}
	if p.tear != nil {
		if err := p.cut(); err != nil {
			return err
		}
	}
	if !p.rec.Clean && !p.o.NoSync {
		if err := p.settle(); err != nil {
			return err
		}
	}
	if p.closed != nil {
		if err := p.o.FS.Remove(p.path(nameClosed)); err != nil {
			return err
		}
	}
	return p.o.FS.SyncDir(p.o.Dir)
}

// cut removes the torn segment's tail, or the segment if its header is torn,
// and all later segments, the last first.
func (p *opener) cut() error {
	torn := p.torn()
	for i := len(torn) - 1; i >= 0; i-- {
		g := torn[i]
		name := p.path(segmentName(g.number))
		at := int64(0)
		change := func() error { return p.o.FS.Remove(name) }
		if g.number == p.tear.segment && !p.tear.header {
			at = p.tear.at
			change = func() error { return p.truncate(g.number, at) }
		}
		length, err := p.length(g.number)
		if err != nil {
			return err
		}
		if err := change(); err != nil {
			return err
		}
		p.rec.CutFile, p.rec.CutOffset = name, at
		p.rec.CutBytes += length - at
	}
	p.rec.CutReason = p.tear.reason.Error()
	p.segments = p.segments[:len(p.segments)-len(torn)]
	if !p.tear.header {
		p.segments = append(p.segments, segment{torn[0].number, p.tear.at, p.tear.at})
	}
	return nil
}

// length returns the length of a segment's file, for the report.
func (p *opener) length(number uint32) (size int64, err error) {
	err = p.withFile(segmentName(number), func(f vfs.File) error {
		size, err = f.Size()
		return err
	})
	return size, err
}

// truncate cuts a segment, durably.
func (p *opener) truncate(number uint32, size int64) error {
	return p.withFile(segmentName(number), func(f vfs.File) error {
		if err := f.Truncate(size); err != nil {
			return err
		}
		return f.Sync()
	})
}

// settle makes durable what was read. It may come from the machine's cache: of a
// process that died between a write and its sync, or whose sync failed. After a
// failed sync the cache counts as clean though the disk has nothing, so what alone
// can be concerned, the last block or a header with none behind it, is written
// again.
func (p *opener) settle() error {
	for i, g := range p.segments {
		err := p.withFile(segmentName(g.number), func(f vfs.File) error {
			if i == len(p.segments)-1 {
				if err := rewrite(f, p.scan.last, p.scan.size); err != nil {
					return fmt.Errorf("rewrite %s: %w", p.path(segmentName(g.number)), err)
				}
			}
			return f.Sync()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rewrite writes bytes of a file over themselves.
func rewrite(f vfs.File, from, to int64) error {
	b := make([]byte, min(tapeBytes, to-from))
	for from < to {
		b = b[:min(int64(len(b)), to-from)]
		if err := readFull(f, b, from); err != nil {
			return err
		}
		if _, err := f.WriteAt(b, from); err != nil {
			return err
		}
		from += int64(len(b))
	}
	return nil
}

// open reads, repairs and returns the Store, its last segment open for writing.
func (p *opener) open() (*Store, error) {
	if err := p.o.FS.Mkdir(p.o.Dir); err != nil {
		return nil, err
	}
	if err := p.o.FS.SyncDir(path.Dir(p.o.Dir)); err != nil {
		return nil, err
	}
	if err := p.read(); err != nil {
		return nil, err
	}
	if err := p.repair(); err != nil {
		return nil, err
	}
	s := &Store{
		o: p.o, index: *p.scan.x, segments: p.segments,
		identity: p.scan.identity, chain: p.scan.seed, block: p.scan.block,
		shelf:   shelf{fs: p.o.FS, dir: p.o.Dir},
		through: archivedThrough{seed: uint32(p.scan.identity)},
		synced:  p.rec.Clean || !p.o.NoSync,
	}
	if p.manifest != nil {
		s.archives, s.through = p.manifest.archives, p.manifest.archivedThrough
	}
	s.index.seal()
	if n := len(s.segments); n > 0 {
		file, err := p.o.FS.Open(p.path(segmentName(s.segments[n-1].number)))
		if err != nil {
			return nil, err
		}
		s.file = file
	}
	return s, nil
}
