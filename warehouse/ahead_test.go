package warehouse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
)

// underWay returns a warehouse with v1 in memory and v2 begun ahead of its turn, which has
// two entries to replay: a runner is about to replay the first, once goOn is called.
func underWay(t *testing.T) (h *house, goOn func()) {
	h = newHouse(t, warehouse.Options{
		MaxPagedIn: 1, Ahead: 2, Snapshots: warehouse.Policy{Initial: warehouse.Never},
	})
	for _, id := range []swing.VatID{"v1", "v2", "v3"} {
		h.add(id)
	}
	h.must("v2", order{op: 1, a: 5000, b: 7})
	h.must("v2", order{op: 1, a: 5001, b: 8})
	h.must("v1", order{})
	begun, gate := make(chan swing.VatID), make(chan struct{})
	h.met = func(id swing.VatID) {
		select {
		case <-gate:
		default:
			begun <- id
			<-gate
		}
	}
	h.w.Ahead(context.Background(), []swing.VatID{"v1", "v2"})
	if id := <-begun; id != "v2" {
		t.Fatalf("%s was begun", id)
	}
	return h, func() { close(gate) }
}

// TestAheadIsTaken: what was begun is finished and used, and nothing is found twice.
func TestAheadIsTaken(t *testing.T) {
	h, goOn := underWay(t)
	lives := h.lives
	h.must("v1", order{}) // beside it
	goOn()
	h.must("v2", order{op: 4, a: 1, b: 5000, c: 2})
	if got := h.answers["v2"][2]; !strings.Contains(got, "[7 8") && !strings.Contains(got, "[7 0") {
		t.Errorf("v2 says %s", got)
	}
	s := h.w.Stats()
	if s.Ahead != 1 || s.PageIns != 3 || s.Replayed != 2 || s.Evictions != 2 || h.lives != lives {
		t.Errorf("%d lives, stats %+v", h.lives-lives, s)
	}
	if got := fmt.Sprint(h.w.PagedIn()); got != "[v2]" {
		t.Errorf("paged in %s", got)
	}
}

// TestAheadIsGivenUp: of a vat that is discarded or evicted, or whose turn is not soon any
// more, nothing is used; it is paged in as ever.
func TestAheadIsGivenUp(t *testing.T) {
	for name, end := range map[string]func(h *house) error{
		"discard": func(h *house) error { h.w.Discard("v2"); return nil },
		"evict":   func(h *house) error { return h.w.Evict(context.Background(), "v2") },
		"other turns": func(h *house) error {
			h.w.Ahead(context.Background(), []swing.VatID{"v1", "v3"})
			return nil
		},
	} {
		h, goOn := underWay(t)
		goOn()
		if err := end(h); err != nil {
			t.Error(err)
		}
		lives := h.lives
		h.must("v2", order{})
		if s := h.w.Stats(); s.Ahead != 0 || s.Replayed != 2 || h.lives != lives+1 {
			t.Errorf("%s: %d lives, stats %+v", name, h.lives-lives, s)
		}
	}
}

// TestCloseGivesUpAhead: Close ends what is under way and lets go of its image.
func TestCloseGivesUpAhead(t *testing.T) {
	h, goOn := underWay(t)
	goOn()
	if err := h.w.Close(context.Background()); err != nil || h.open != 0 {
		t.Errorf("%d images are held: %v", h.open, err)
	}
}

// TestAheadFailsInItsTurn: nothing is told of what cannot be paged in before its turn, and
// then once.
func TestAheadFailsInItsTurn(t *testing.T) {
	h, goOn := underWay(t)
	goOn()
	h.w.Discard("v2")
	was := h.items["v2"][1]
	e, _ := transcript.Decode(was)
	e.Exchanges = nil
	e.Outcome.Fuel++
	h.items["v2"][1] = e.Append(nil)
	h.w.Ahead(context.Background(), []swing.VatID{"v1", "v2"})
	h.must("v1", order{})
	if _, err := h.deliver("v2", order{}); err == nil ||
		!strings.Contains(err.Error(), "replay of vat v2 diverged at position 1") {
		t.Error(err)
	}
	h.items["v2"][1] = was
	h.broken["v3"] = errDisk
	h.w.Ahead(context.Background(), []swing.VatID{"v1", "v2", "v3"})
	h.must("v2", order{})
	delete(h.broken, "v3")
	h.must("v3", order{})
}

// TestAheadPanicsInItsTurn: a fault of ours in the background is met by the owner.
func TestAheadPanicsInItsTurn(t *testing.T) {
	h, goOn := underWay(t)
	goOn()
	h.w.Discard("v2")
	begun := make(chan struct{})
	h.met = func(swing.VatID) {
		close(begun)
		panic("a fault")
	}
	h.w.Ahead(context.Background(), []swing.VatID{"v1", "v2"})
	<-begun
	h.met = nil
	defer func() {
		if p := recover(); p != "a fault" {
			t.Errorf("panic %v", p)
		}
		h.open-- // of what cannot go on, images are not let go
	}()
	_, err := h.deliver("v2", order{})
	t.Errorf("no panic, %v", err)
}
