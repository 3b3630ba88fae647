package streamstore

import "errors"

// dropArchives takes those off the list that no stream needs.
func (a *archiver) dropArchives() error {
	kept := a.manifest.archives[:0]
	for _, d := range a.manifest.archives {
		if !a.needs(d.witness, d.witnessEnd) {
			found, err := a.findWitness(&d)
			if err != nil {
				return err
			}
			if !found {
				a.removed = append(a.removed, archiveName(d.number))
				a.stats.Removed++
				continue
			}
		}
		kept = append(kept, d)
	}
	a.manifest.archives = kept
	return nil
}

// needs reports whether a stream has items before end that it still needs.
func (a *archiver) needs(name string, end uint64) bool {
	i, ok := a.byName[name]
	return ok && a.plans[i].start < end && !a.plans[i].forgotten()
}

// forgotten reports whether a stream was given up and nothing of it is left but
// in archives.
func (p plan) forgotten() bool { return p.retain > p.logEnd && p.end == p.logEnd }

// findWitness searches the archive's table of streams for one that needs it.
func (a *archiver) findWitness(d *archived) (found bool, err error) {
	name := a.s.path(archiveName(d.number))
	f, err := a.s.o.FS.Open(name)
	if err != nil {
		return false, err
	}
	head := archiveHead{a.manifest.identity, d.number}
	err = head.eachHeld(f, name, func(stream string, h held) bool {
		found = a.needs(stream, h.end())
		if found {
			d.witness, d.witnessEnd = stream, h.end()
		}
		return !found
	})
	return found, errors.Join(err, f.Close())
}
