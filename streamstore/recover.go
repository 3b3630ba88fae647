package streamstore

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// opener opens a log: it reads everything first, decides, and only then changes
// anything. Damage is thus found with the directory untouched.
type opener struct {
	o        Options
	scan     scanner
	manifest *manifest   // nil if there is none
	closed   *closedMark // nil if there is none
	names    []string    // all files
	segments []segment   // that are not archived, by number
	tear     *tear
	garbage  []string // what an interrupted operation left, harmless
	rec      Recovery
}

// path returns the name in FS of a file of the log.
func (p *opener) path(name string) string { return path.Join(p.o.Dir, name) }

// read finds out what there is, and whether a crash can have left it so.
func (p *opener) read() error {
	if err := p.list(); err != nil {
		return err
	}
	if err := p.readHeads(); err != nil {
		return err
	}
	if err := p.sortFiles(); err != nil {
		return err
	}
	p.scan.tolerant = true
	err := p.scanSegments()
	if len(p.scan.damaged) > 0 && (err == nil && !p.provenDamage() || errors.Is(err, ErrCorrupt)) {
		err = p.rescan()
	}
	if err != nil {
		return err
	}
	return p.judge()
}

// list lists the directory and refuses what is not ours.
func (p *opener) list() (err error) {
	if p.names, err = p.o.FS.List(p.o.Dir); err != nil {
		return err
	}
	for _, name := range p.names {
		whole := strings.TrimSuffix(name, suffixTemp)
		if whole != nameManifest && whole != nameClosed &&
			numberOf(whole, suffixArchive) == 0 && numberOf(name, suffixSegment) == 0 {
			return fmt.Errorf("%w: %s", ErrForeign, p.path(name))
		}
		if whole != name {
			p.garbage = append(p.garbage, name)
		}
	}
	return nil
}

// readHeads reads the manifest and the mark of Close, where they exist.
func (p *opener) readHeads() error {
	if slices.Contains(p.names, nameManifest) {
		err := p.withFile(nameManifest, func(f vfs.File) (err error) {
			p.manifest, err = readManifest(f, p.path(nameManifest))
			return err
		})
		if err != nil {
			return err
		}
		p.startAfterManifest()
	}
	if slices.Contains(p.names, nameClosed) {
		return p.withFile(nameClosed, func(f vfs.File) error {
			c, err := readClosedMark(f, p.path(nameClosed))
			p.closed = &c
			return err
		})
	}
	return nil
}

// withFile opens a file of the log, for as long as use uses it.
func (p *opener) withFile(name string, use func(f vfs.File) error) error {
	f, err := p.o.FS.Open(p.path(name))
	if err != nil {
		return err
	}
	return errors.Join(use(f), f.Close())
}

// startAfterManifest makes the scan begin where the archives end, with the
// streams as they stood there.
func (p *opener) startAfterManifest() {
	m := p.manifest
	p.scan.reach = reach{
		identity: m.identity, segment: m.segment, seed: m.seed, block: m.block,
	}
	for _, s := range m.streams {
		p.scan.x.streams[s.name] = &stream{
			name: s.name, start: s.start, rawStart: s.end, retain: s.start, archive: s.archive,
			listed: true,
		}
	}
}

// sortFiles tells the segments and archives that count from those that an
// interrupted Archive left: an archive counts if the manifest lists it, a segment
// if it is later than the manifest's last.
func (p *opener) sortFiles() error {
	last := p.scan.segment
	for _, name := range p.names {
		if n := numberOf(name, suffixSegment); n > last {
			p.segments = append(p.segments, segment{number: n})
		} else if n > 0 {
			p.garbage = append(p.garbage, name)
		}
	}
	for _, name := range p.names {
		n := numberOf(name, suffixArchive)
		if n == 0 || p.listed(n) {
			continue
		}
		if n > last &&
			!slices.ContainsFunc(p.segments, func(g segment) bool { return g.number == n }) {
			return corrupt(
				p.path(name),
				0,
				"an archive that no manifest lists, and no segment %d",
				n,
			)
		}
		p.garbage = append(p.garbage, name)
	}
	if p.manifest == nil {
		return nil
	}
	for _, a := range p.manifest.archives {
		if err := p.checkArchive(a); err != nil {
			return err
		}
	}
	return nil
}

// listed reports whether the manifest lists the archive of that number.
func (p *opener) listed(n uint32) bool {
	return p.manifest != nil && slices.ContainsFunc(p.manifest.archives, func(a archived) bool {
		return a.number == n
	})
}

// checkArchive sees that an archive is the one that the manifest means: its
// last frame's check covers, by the chain, all of its bytes.
func (p *opener) checkArchive(a archived) error {
	name := p.path(archiveName(a.number))
	f, err := p.o.FS.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return corrupt(name, 0, "the archive that the manifest lists is missing")
	}
	if err != nil {
		return err
	}
	return errors.Join(a.checkTrailer(f, name), f.Close())
}

// checkTrailer compares an archive with what the manifest says of it.
func (a archived) checkTrailer(f vfs.File, name string) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	if size != a.size || size < trailerBytes {
		return corrupt(name, 0, "%d bytes where the manifest says %d", size, a.size)
	}
	b := make([]byte, trailerBytes)
	if err := readFull(f, b, size-trailerBytes); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if t, err := frame.Decode(b); err != nil || t.Check != a.check {
		return corrupt(name, size-trailerBytes, "not the end that the manifest says")
	}
	return nil
}

// scanSegments reads the segments up to the first tear.
func (p *opener) scanSegments() error {
	for i := range p.segments {
		g := &p.segments[i]
		if due := p.scan.reach.segment + 1; g.number != due {
			p.tear = &tear{due, true, 0, fmt.Errorf("%w: there is no segment %d before %s",
				errStale, due, segmentName(g.number))}
			return nil
		}
		err := p.withTape(g.number, func(t *tape) (err error) {
			p.tear, err = p.scan.readSegment(t, g.number)
			g.size, g.length = p.scan.size, t.size
			return err
		})
		if err != nil || p.tear != nil {
			return err
		}
	}
	return nil
}

// withTape is withFile for a segment that is read from end to end.
func (p *opener) withTape(n uint32, use func(t *tape) error) error {
	return p.withFile(segmentName(n), func(f vfs.File) error {
		t, err := newTape(f, p.path(segmentName(n)))
		if err != nil {
			return err
		}
		return use(t)
	})
}

// judge tells a torn tail from damage.
func (p *opener) judge() error {
	p.rec = Recovery{
		Clean:   p.closed != nil || len(p.segments) == 0 && p.manifest == nil,
		Block:   p.scan.block,
		Removed: p.garbage,
	}
	for _, d := range p.scan.damaged {
		p.rec.Damaged = append(p.rec.Damaged, d.errDamaged())
	}
	if p.closed != nil {
		if err := p.judgeClosed(); err != nil {
			return err
		}
	}
	if p.scan.block < p.o.Durable {
		return p.errShort()
	}
	if p.tear == nil {
		return nil
	}
	for _, g := range p.torn() {
		err := p.withTape(g.number, func(t *tape) error { return p.judgeTorn(t, g.number) })
		if err != nil {
			return err
		}
	}
	return nil
}

// judgeClosed sees that the log ends where Close said, to the byte.
func (p *opener) judgeClosed() error {
	if p.tear != nil {
		return corrupt(p.path(segmentName(p.tear.segment)), p.tear.at,
			"%v, in a log that was closed", p.tear.reason)
	}
	r := p.scan.reach
	got := closedMark{r.identity, 0, 0, r.seed, r.block}
	if n := len(p.segments); n > 0 {
		got.segment, got.size = p.segments[n-1].number, uint64(p.segments[n-1].length)
	}
	if got != *p.closed {
		return corrupt(p.path(nameClosed), 0, "the log was closed at %+v and ends at %+v, %s",
			*p.closed, got, p.end())
	}
	return nil
}

// end says in which file the log ends, or which one it lacks.
func (p *opener) end() string {
	if n := len(p.segments); n > 0 {
		return "in " + p.path(segmentName(p.segments[n-1].number))
	}
	return "without " + p.path(segmentName(p.scan.segment+1))
}

// errShort names where the log stops to be whole before a block that was durable.
func (p *opener) errShort() error {
	segment, at, reason := max(p.scan.segment, 1), p.scan.size, errors.New("the end")
	if len(p.segments) == 0 && p.manifest != nil {
		segment++ // the one after all that are archived
	}
	if p.tear != nil {
		segment, at, reason = p.tear.segment, p.tear.at, p.tear.reason
	}
	return corrupt(p.path(segmentName(segment)), at,
		"%v, after block %d, though block %d was durable", reason, p.scan.block, p.o.Durable)
}

// torn returns the segment that is torn, if it is there, and all later ones.
func (p *opener) torn() []segment {
	i := slices.IndexFunc(p.segments, func(g segment) bool { return g.number >= p.tear.segment })
	return p.segments[max(i, 0):]
}

// judgeTorn fails if something in the file says that what is torn was durable.
func (p *opener) judgeTorn(t *tape, number uint32) error {
	from, least := int64(0), p.scan.block+1
	if number == p.tear.segment && !p.tear.header {
		// The torn block's own opening frame speaks only of what is before it.
		from, least = p.tear.at, p.scan.block+2
	} else if f, err := t.frame(0); err == nil {
		h, err := decodeSegmentHeader(f)
		if err != nil {
			return damaged(t.name, 0, err)
		}
		if h.synced {
			return p.errDamage(t.name, 0)
		}
	} else if !badFrame(err) {
		return err
	}
	at, err := p.scan.evidence(t, from, least)
	if err == nil && at >= 0 {
		err = p.errDamage(t.name, at)
	}
	return err
}

// errDamage names what is damaged, and what proves that it is.
func (p *opener) errDamage(name string, at int64) error {
	return corrupt(p.path(segmentName(p.tear.segment)), p.tear.at,
		"%v, though by %s at byte %d all before that was durable", p.tear.reason, name, at)
}
