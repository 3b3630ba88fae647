package warehouse

import (
	"fmt"
	"math"
	"slices"

	"vatwarehouse/swing"
)

// Which pages a vat writes is found when its image is brought up to date, and in a few looks
// beside: they take too long to take one at each eviction. What is seen is compared with the
// pages of the latest image. Two times would share some pages by chance, if each drew its own
// from all of memory; pages that they share beyond that are taken to be hot, and written
// whenever the vat runs, and the others to be drawn, so many a delivery. From that it is
// foretold how many pages some deliveries have written.

// habit is how many pages a vat, or vats, were seen to write, in grains.
type habit struct {
	times uint64 // that it was seen
	hot   uint64 // pages
	// draws are the pages that were drawn, each as often as it was, in so many deliveries.
	draws, deliveries uint64
}

// grain is one page, or one delivery, of a habit: fractions are left when it is halved.
const grain = 64

// unseen is taken for the habit of vats until any is seen.
var unseen = habit{times: grain, hot: grain, deliveries: grain}

// add adds what was seen once.
func (h *habit) add(o habit) {
	*h = habit{h.times + o.times, h.hot + o.hot, h.draws + o.draws, h.deliveries + o.deliveries}
}

// fade has what was seen count half.
func (h *habit) fade() { *h = habit{h.times / 2, h.hot / 2, h.draws / 2, h.deliveries / 2} }

// hotPages returns how many pages are hot.
func (h *habit) hotPages() uint64 { return (h.hot + h.times/2) / h.times }

// drawnPages returns how many pages so many deliveries draw, of a room of so many, each once.
func (h *habit) drawnPages(deliveries, room uint64) uint64 {
	if room == 0 {
		return 0
	}
	each := float64(h.draws) / float64(h.deliveries) / float64(room)
	return uint64(math.Round(float64(room) * -math.Expm1(-each*float64(deliveries))))
}

// habitOf returns the habit of a vat that has written so many pages of its memory in so many
// deliveries, of which it has shared with the time before, when it wrote others.
func habitOf(pages, others, shared, deliveries, room uint64) habit {
	written := pages + others - shared // in one of the two or both
	hot := uint64(0)
	// If hot pages are in both, and the rest of each is drawn from the rest of memory,
	// (pages-hot)·(others-hot)/(room-hot) of that are in both by chance. Where hardly
	// anything is left, or one was much longer than the other, that says nothing.
	telling := (room-min(room, written))*leastLeft >= room && others <= pages*mostLonger
	if telling && shared*room > pages*others {
		hot = min((shared*room-pages*others)/max(room-written, 1), shared)
	}
	return drawing(hot, pages-hot, deliveries, room)
}

// What two times share says something if an eighth of memory was written in neither, and
// one wrote at most four times what the other did.
const (
	leastLeft  = 8
	mostLonger = 4
)

// drawing returns the habit of a vat that wrote so many hot pages, and others that it drew.
func drawing(hot, drawn, deliveries, room uint64) habit {
	draws := 0.0
	if rest := float64(room - min(room, hot)); rest > 0 {
		// All may have been drawn, and then it is not known how often.
		draws = -rest * math.Log1p(-min(float64(drawn), rest-0.5)/rest)
	}
	return habit{grain, grain * hot, uint64(grain * draws), grain * deliveries}
}

// writes is what is known of the pages that a vat writes.
type writes struct {
	habit habit // zero: it was not seen
	// first are the pages that an incarnation had written when its image was first brought
	// up to date, firstOver deliveries after its birth; 0 deliveries: it was not seen.
	first, firstOver uint64
	latest           sketch
	// room are the pages that its memory has.
	room  uint64
	looks int // that were taken
}

// first is the first pages of vats together.
type first struct{ vats, pages uint64 }

// learn notes what bringing a vat's image up to date wrote.
func (w *Warehouse) learn(v *vat, written []swing.Page) {
	a := v.account
	a.held += uint64(len(written))
	if w.accounts == nil || v.unsaved.deliveries == 0 {
		return // it is not needed, or no delivery took effect
	}
	pages := make([]uint32, len(written))
	for i, p := range written {
		pages[i] = p.Index
	}
	w.judge(v, pages)
	a.latest = sketchOf(pages)
}

// look finds what a vat has written beyond its image, if its worker can say. That takes longer
// than most deliveries, and is done a few times at most.
func (w *Warehouse) look(v *vat) error {
	worker, can := v.worker.(noter)
	if !can || v.unsaved.deliveries == 0 || v.account.looks == looksMax {
		return nil
	}
	pages, err := worker.Footprint()
	if err != nil {
		return fmt.Errorf("look what vat %s has written: %w", v.id, err)
	}
	v.account.looks++
	w.judge(v, pages)
	return nil
}

// looksMax is how often a vat is looked at.
const looksMax = 8

// unknown reports whether nothing is known of what a vat has written beyond its image.
func (w *Warehouse) unknown(v *vat) bool {
	if v.saved == v.start {
		return v.account.firstOver == 0
	}
	return v.account.habit.times == 0
}

// outgrown reports whether what is known of a vat's habit is of so much longer times that it
// says nothing of what it has written beyond its image.
func (v *vat) outgrown() bool {
	h := &v.account.habit
	return v.saved > v.start && h.times > 0 &&
		v.unsaved.deliveries*mostLonger*h.times < h.deliveries
}

// judge takes apart what a vat's unsaved deliveries have written.
func (w *Warehouse) judge(v *vat, written []uint32) {
	a, pages, deliveries := v.account, uint64(len(written)), v.unsaved.deliveries
	if v.saved == v.start {
		if a.firstOver == 0 {
			w.firsts.vats++
			w.firsts.pages += pages
		}
		a.first, a.firstOver = pages, deliveries
		w.reprice(a)
		return
	}
	seen := drawing(0, pages, deliveries, a.room)
	if shared, known := a.latest.shared(written); known {
		seen = habitOf(pages, a.latest.pages, shared, deliveries, a.room)
		w.habit.add(seen)
	}
	if v.outgrown() {
		a.habit = habit{}
	}
	a.habit.fade()
	a.habit.add(seen)
	w.reprice(a)
}

// hot returns how many pages of a vat are hot.
func (w *Warehouse) hot(a *account) (pages uint64) {
	switch {
	case a.habit.times > 0:
		pages = a.habit.hotPages()
	case a.firstOver > 0:
		pages = min(w.habit.hotPages(), a.first) // it has never written more
	default:
		pages = w.habit.hotPages()
	}
	return min(pages, a.room)
}

// drawn returns how many pages that are not hot so many deliveries of a vat write.
func (w *Warehouse) drawn(a *account, deliveries uint64) (pages uint64) {
	room := a.room - w.hot(a)
	switch {
	case a.habit.times > 0:
		return a.habit.drawnPages(deliveries, room)
	case a.firstOver > 0:
		return min(w.habit.drawnPages(deliveries, room), a.first*deliveries/a.firstOver)
	}
	return w.habit.drawnPages(deliveries, room)
}

// pages returns how many pages so many deliveries of a vat have written; from its birth on,
// if born.
func (w *Warehouse) pages(a *account, deliveries uint64, born bool) uint64 {
	pages := w.hot(a) + w.drawn(a, deliveries)
	if born {
		pages += w.first(a)
	}
	return min(pages, a.room)
}

// extra returns how many of them are not written anyway by the deliveries that come when
// the vat is paged in, if there are as many as there were each time so far.
func (w *Warehouse) extra(a *account, deliveries uint64, born bool) uint64 {
	if deliveries == 0 {
		return 0
	}
	stay := a.total.deliveries / max(a.stays, 1)
	return w.pages(a, deliveries+stay, born) - w.pages(a, stay, false)
}

// first returns how many pages a vat's birth has written, or will have, beside those that
// deliveries write.
func (w *Warehouse) first(a *account) (pages uint64) {
	beside := w.hot(a)
	switch {
	case a.firstOver > 0:
		pages, beside = a.first, beside+w.drawn(a, a.firstOver)
	case w.firsts.vats > 0:
		pages = w.firsts.pages / w.firsts.vats
	default:
		pages = a.room / writtenShare
	}
	return pages - min(pages, beside)
}

// writtenShare is the part of its memory that a vat is taken to write at birth.
const writtenShare = 4

// sketch is a set of pages, of which it has a few.
type sketch struct {
	pages uint64
	least []uint32 // the least keys of pages, ascending: all, or sketchKeys
}

// sketchKeys bounds the keys of a sketch.
const sketchKeys = 32

// keyOf returns a page's key: no two pages have the same, and their order is as good as drawn.
func keyOf(page uint32) uint32 {
	key := page * 0x9e3779b1
	key = (key ^ key>>15) * 0x85ebca77
	return key ^ key>>13
}

// sketchOf returns the sketch of some pages.
func sketchOf(pages []uint32) sketch {
	least := make([]uint32, 0, min(len(pages), sketchKeys)+1)
	for _, p := range pages {
		key := keyOf(p)
		if len(least) == sketchKeys && key > least[sketchKeys-1] {
			continue
		}
		i, _ := slices.BinarySearch(least, key)
		least = slices.Insert(least, i, key)
		least = least[:min(len(least), sketchKeys)]
	}
	return sketch{pages: uint64(len(pages)), least: least}
}

// shared returns how many of some pages are in the sketch's set, as far as it can tell, and
// whether there is a set.
func (s sketch) shared(pages []uint32) (n uint64, known bool) {
	if len(s.least) == 0 {
		return 0, false
	}
	var in, of uint64
	for _, p := range pages {
		key := keyOf(p)
		if s.pages > sketchKeys && key > s.least[len(s.least)-1] {
			continue // whether it is in the set is not known
		}
		of++
		if _, found := slices.BinarySearch(s.least, key); found {
			in++
		}
	}
	return uint64(len(pages)) * in / max(of, 1), true
}
