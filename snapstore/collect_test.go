package snapstore

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestWhatIsCommittedSurvivesOneCollect: a heap that no record names yet is
// safe from the Collect after its commit, and gone after the one after that;
// one that was only met again by a commit is as safe as a new one.
func TestWhatIsCommittedSurvivesOneCollect(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{PackBytes: 2 << 10, UnusedImages: -1})
	c, id := born(t, s, 1)
	must(t, s.Sync())
	collect := func() CollectStats {
		st, err := s.Collect(nil)
		must(t, err)
		return st
	}
	if st := collect(); st.LiveObjects == 0 || st.Roots != 1 {
		t.Errorf("%+v", st)
	}
	must(t, readable(s, id, c))
	// Reading it is not naming it; committing the same heap again is.
	again, met := born(t, s, 1)
	if met != id {
		t.Fatal("another heap")
	}
	collect()
	must(t, readable(s, id, again))
	st := collect()
	if st.PacksRemoved == 0 || st.LiveObjects != 0 || s.Stats().Packs > 1 {
		t.Errorf("%+v, %+v", st, s.Stats())
	}
	if err := s.VerifyHeap(id); !errors.Is(err, ErrNotFound) {
		t.Errorf("a heap that nobody named for two collections: %v", err)
	}
}

// TestCollectKeepsWhatImagesRestOn: a vat's snapshot is named by nobody, for
// several collections; its image is in use. The next commit stores only what
// changed, and its snapshot is whole.
func TestCollectKeepsWhatImagesRestOn(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{PackBytes: 1}) // a pack each object
	c, id := born(t, s, 1)
	img, err := s.Image(id)
	must(t, err)
	for i := range 4 {
		fill(t, s, 0, 50)
		_, err := s.Collect(nil)
		must(t, err)
		img, err = s.Pause(img, c.state(), deliver(&c, i, 3, byte(50+i)))
		must(t, err)
		if i == 2 {
			continue // two pauses for one commit, with a Collect between
		}
		info, err := s.Commit(img)
		must(t, err)
		if info.Pages > 2 {
			t.Errorf("%+v", info)
		}
		must(t, readable(s, info.ID, c))
	}
	fill(t, s, 0, 200) // so that the heap is not in the active pack
	for range 3 {
		_, err := s.Collect(nil)
		must(t, err)
	}
	info, err := s.Commit(img) // nothing to do, says the image
	must(t, errors.Join(err, s.VerifyHeap(info.ID)))
}

// atSync is a file system that does something at the next sync of a file.
type atSync struct {
	vfs.FS
	do func()
}

func (a *atSync) Create(name string) (vfs.File, error) {
	f, err := a.FS.Create(name)
	return atSyncFile{f, a}, err
}

type atSyncFile struct {
	vfs.File
	a *atSync
}

func (f atSyncFile) Sync() error {
	if do := f.a.do; do != nil {
		f.a.do = nil
		do()
	}
	return f.File.Sync()
}

// TestACommitDuringCollectRevivesGarbage: while Collect syncs what it has moved,
// a commit meets an object that Collect has found to be garbage, in a pack that
// is about to go. The commit's snapshot is whole afterwards.
func TestACommitDuringCollectRevivesGarbage(t *testing.T) {
	t.Parallel()
	fs := &atSync{FS: vfs.NewMem()}
	s, err := Open(Options{FS: fs, PackBytes: 200 << 10, UnusedImages: -1})
	must(t, err)
	kept, keptID := born(t, s, 1)
	garbage, garbageID := born(t, s, 2)
	large := slices.Concat(randomPages(newSource(3).Rand, 16)...)
	img, info, err := s.Genesis(swing.Heap{Size: wasmPageBytes}, []Segment{{Data: large}})
	must(t, err)
	img.Release()
	fill(t, s, 0, 4000)
	must(t, s.Sync())
	live := []swing.Hash{keptID, info.ID}
	_, err = s.Collect(live)
	must(t, err)
	revived := swing.Hash{}
	fs.do = func() {
		if err := s.VerifyHeap(garbageID); err != nil {
			t.Errorf("it is gone already: %v", err)
		}
		_, revived = born(t, s, 2)
	}
	st, err := s.Collect(live)
	must(t, err)
	if st.PacksRemoved == 0 || revived != garbageID {
		t.Fatalf("%+v, revived %v", st, revived)
	}
	must(t, errors.Join(readable(s, keptID, kept), readable(s, garbageID, garbage), verify(s)))
	// It was committed since that Collect began: the next one keeps it too, though
	// its pack goes.
	s.o.PackBytes = 1
	fill(t, s, 0, 1)
	st, err = s.Collect([]swing.Hash{keptID})
	must(t, errors.Join(err, readable(s, garbageID, garbage)))
	if st.PacksRemoved == 0 {
		t.Errorf("%+v", st)
	}
}

func randomPages(r *rand.Rand, n int) (pages [][]byte) {
	for range n {
		pages = append(pages, randomPage(r))
	}
	return pages
}

// TestCollectReclaims: a store in which a vat goes through many snapshots stays
// near what is live if what is due is done.
func TestCollectReclaims(t *testing.T) {
	t.Parallel()
	s, mem := memStore(t, Options{PackBytes: 32 << 10})
	c, id := born(t, s, 1)
	img, err := s.Image(id)
	must(t, err)
	src := newSource(2)
	if !s.CollectDue() {
		t.Error("nothing is known of what is stored, and no Collect is due")
	}
	largest := int64(0)
	for range 300 {
		dirty := src.change(&c, 4*wasmPageBytes)
		img, err = s.Pause(img, c.state(), dirty)
		must(t, err)
		info, err := s.Commit(img)
		must(t, err)
		must(t, s.Sync())
		if s.CollectDue() {
			st, err := s.Collect([]swing.Hash{info.ID})
			must(t, err)
			if st.LiveBytes > s.Stats().PackBytes || len(st.Faults) > 0 {
				t.Fatalf("%+v, %+v", st, s.Stats())
			}
		}
		must(t, s.VerifyHeap(info.ID))
		largest = max(largest, s.Stats().PackBytes)
	}
	if largest > 3<<20 {
		t.Errorf("the packs grew to %d bytes for 256 KiB of memory", largest)
	}
	names, err := mem.List("heaps/packs")
	must(t, err)
	if st := s.Stats(); len(names) != 2*st.Packs-1 {
		t.Errorf("%d files for %d packs", len(names), st.Packs)
	}
	must(t, verify(s))
}

// TestCollectIsDueForMore: what a Collect leaves, garbage in the active pack, has no other
// fall due until there is a quarter more.
func TestCollectIsDueForMore(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{})
	_, id := born(t, s, 1)
	fill(t, s, 0, 200)
	for range 3 { // what is stored is kept from the first
		st, err := s.Collect([]swing.Hash{id})
		must(t, err)
		if s.CollectDue() {
			t.Fatalf("due at once after %+v, %+v", st, s.Stats())
		}
	}
	left, more := s.Stats().PackBytes, 200
	for ; !s.CollectDue() && more < 400; more++ {
		fill(t, s, more, more+1)
	}
	if size := s.Stats().PackBytes; size < left*5/4 || size > left*3/2 {
		t.Errorf("due at %d bytes, of which %d were left", size, left)
	}
}

// TestCollectNamesDamage: of two live heaps one is damaged. It is named, the
// other is kept whole, and what cannot be moved keeps its pack, this time.
func TestCollectNamesDamage(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s, err := Open(Options{FS: mem, PackBytes: 100 << 10, UnusedImages: -1})
	must(t, err)
	_, first := born(t, s, 1)
	good, second := born(t, s, 2)
	fill(t, s, 0, 2000)
	must(t, s.Sync())
	name := "heaps/packs/00000001.pack"
	b := readFile(t, mem, name)
	b[300] ^= 1 // in a page of the first
	replaceFile(t, mem, name, b)
	live := []swing.Hash{first, second, swing.Sum("absent")}
	_, err = s.Collect(live) // from now on nothing is new
	must(t, err)
	st, err := s.Collect(live)
	must(t, err)
	if len(st.Faults) != 2 || st.MovedObjects < 20 || s.packs[1] == nil {
		t.Errorf("%+v", st)
	}
	must(t, readable(s, second, good))
	if err := s.VerifyHeap(first); !damaged(err) {
		t.Errorf("the damaged heap: %v", err)
	}
	must(t, s.Close())
}

// TestCommitsGoOnDuringCollect: many goroutines each take vats from shared
// images, deliver, pause, commit, release and read, while others sync, verify
// and collect all the time, naming what was committed. Every snapshot named is
// whole at the end. Run with -race.
func TestCommitsGoOnDuringCollect(t *testing.T) {
	t.Parallel()
	o := smallOptions(vfs.NewMem())
	s, err := Open(o)
	must(t, err)
	base, genesis := born(t, s, 1)
	var mu sync.Mutex
	named := map[swing.Hash]content{genesis: base}
	// A commit is named before two Collects have begun since, as Collect wants it.
	var naming sync.RWMutex
	commit := func(img *Image, c content) (id swing.Hash, err error) {
		naming.RLock()
		defer naming.RUnlock()
		info, err := s.Commit(img)
		if err != nil {
			return id, err
		}
		mu.Lock()
		defer mu.Unlock()
		named[info.ID] = c
		return info.ID, nil
	}
	var vats, chores sync.WaitGroup
	errs := make(chan error, 100)
	done := make(chan struct{})
	for seed := range uint64(4) {
		vats.Go(func() { errs <- manyVats(s, newSource(seed), base, genesis, commit) })
	}
	chore := func(f func() error) {
		chores.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := f(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	chore(s.Sync)
	chore(func() error { return verify(s) })
	chore(func() error {
		naming.Lock()
		live := slices.Collect(maps.Keys(named))
		naming.Unlock()
		_, err := s.Collect(live)
		s.Stats()
		s.CollectDue()
		return err
	})
	vats.Wait()
	close(done)
	chores.Wait()
	close(errs)
	for err := range errs {
		must(t, err)
	}
	for id, c := range named {
		must(t, readable(s, id, c))
	}
	must(t, errors.Join(verify(s), s.Close()))
}

// manyVats runs vats one after the other, each from the genesis image or from a
// snapshot of the one before.
func manyVats(
	s *Store, src source, base content, genesis swing.Hash,
	commit func(*Image, content) (swing.Hash, error),
) error {
	id, c := genesis, base.clone()
	for range 12 {
		if src.IntN(3) == 0 {
			id, c = genesis, base.clone()
		}
		img, err := s.Image(id)
		if err != nil {
			return fmt.Errorf("image: %w", err)
		}
		for range 1 + src.IntN(6) {
			dirty := src.change(&c, 4*wasmPageBytes)
			if img, err = s.Pause(img, c.state(), dirty); err != nil {
				return err
			}
			if err := sameImage(img, c); err != nil {
				return err
			}
		}
		if id, err = commit(img, c.clone()); err != nil {
			return err
		}
		if err := readable(s, id, c); err != nil {
			return err
		}
		img.Release()
	}
	return nil
}

// TestPlantedFaultsAreCaught: the twin's history is shown a store that forgets a
// dirty page, one that writes a shared image in place, one that forgets what was
// written before, and one that stores wrong bytes, and must object to each.
func TestPlantedFaultsAreCaught(t *testing.T) {
	t.Parallel()
	plants := map[string]func(w *twin){
		"forget a dirty page": func(w *twin) {
			w.plant = func(_ *vat, dirty []swing.Page) []swing.Page {
				return slices.Clone(dirty)[:max(0, len(dirty)-1)]
			}
		},
		"write a shared image in place": func(w *twin) {
			w.plant = func(v *vat, dirty []swing.Page) []swing.Page {
				w.s.mu.Lock()
				defer w.s.mu.Unlock()
				v.img.users, v.img.pinned = 1, false
				return dirty
			}
		},
		"forget what was written since the last commit": func(w *twin) {
			w.plant = func(v *vat, dirty []swing.Page) []swing.Page {
				v.img.pending.clear()
				return dirty
			}
		},
		"store a page under another's name": func(w *twin) {
			w.plant = func(_ *vat, dirty []swing.Page) []swing.Page {
				hash := swing.SumPage(bytes.Repeat([]byte{1}, swing.PageBytes))
				for _, p := range dirty {
					if h := swing.SumPage(p.Data); !isZero(p.Data) {
						hash = h
					}
				}
				other := randomPage(w.Rand)
				_, _ = putOne(w.s, kindPageRaw, hash, other)
				return dirty
			}
		},
	}
	for what, plant := range plants {
		caught := error(nil)
		for seed := uint64(0); seed < 30 && caught == nil; seed++ {
			caught = plantedHistory(seed, plant)
		}
		if caught == nil {
			t.Errorf("%s: not caught", what)
			continue
		}
		t.Logf("%s: caught: %v", what, caught)
	}
}

func randomPage(r *rand.Rand) []byte {
	page := make([]byte, swing.PageBytes)
	for i := range page {
		page[i] = byte(r.Uint32())
	}
	return page
}

// plantedHistory returns what the harness says of a planted fault. A panic
// counts: the store's own checks are part of the harness.
func plantedHistory(seed uint64, plant func(w *twin)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	w, err := newTwin(seed, smallOptions(vfs.NewMem()))
	if err != nil {
		return err
	}
	plant(w)
	for range 60 {
		if err := w.step(); err != nil {
			return err
		}
	}
	return w.check()
}
