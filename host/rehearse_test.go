package host_test

import (
	"errors"
	"slices"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestRehearse: a vat's history is the same to its own program, another deals with it
// otherwise, one that fails stops there; nothing changes.
func TestRehearse(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), host.Options{})
	id, root := vat(t, h, "puppet", "hands")
	store := func(key, value string) swing.Syscall[swing.VRef] {
		return swing.Syscall[swing.VRef]{Op: swing.OpVatstoreSet, Key: []byte(key), Value: []byte(value)}
	}
	get := swing.Syscall[swing.VRef]{Op: swing.OpVatstoreGet, Key: []byte("k")}
	next := swing.Syscall[swing.VRef]{Op: swing.OpVatstoreNextKey, Key: []byte("j")}
	for _, body := range [][]byte{calls(store("k", "v"), get), calls(get, next), calls()} {
		if err := h.SendOnly(ctx, root, host.Message{Method: "do", Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	run(t, h)
	before := activityhash(t, h)
	rehearse := func(name string) (host.Rehearsed, []host.Rehearsal) {
		var all []host.Rehearsal
		done, err := h.Rehearse(ctx, id, program(t, name), func(d host.Rehearsal) { all = append(all, d) })
		if err != nil {
			t.Fatal(err)
		}
		return done, all
	}
	if done, all := rehearse("puppet"); done.Deliveries != 4 || done.Differing != 0 || len(all) != 0 {
		t.Errorf("itself: %+v, %+v", done, all)
	}
	done, all := rehearse("counter")
	if done.Deliveries != 4 || done.Differing != 2 || len(all) != 2 || !done.Died.OK() {
		t.Fatalf("a counter: %+v, %+v", done, all)
	}
	want := []string{"vatstoreSet k = v", "vatstoreGet k -> v"}
	if all[0].Position != 1 || !slices.Equal(all[0].Was, want) || len(all[0].Is) != 0 || all[0].Died != "" {
		t.Errorf("a counter: %+v", all[0])
	}
	done, all = rehearse("trader") // it wants parameters
	if done.Deliveries != 1 || len(all) != 1 || done.Died.OK() || all[0].Died == "" {
		t.Errorf("a trader: %+v, %+v", done, all)
	}
	if _, err := h.Rehearse(ctx, id, []byte("no program"), nil); !errors.Is(err, host.ErrRefused) {
		t.Errorf("no program: %v", err)
	}
	if _, err := h.Rehearse(ctx, "v9", program(t, "puppet"), nil); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("no vat: %v", err)
	}
	if after := activityhash(t, h); after != before {
		t.Errorf("activityhash %s, before %s", after, before)
	}
	check(t, h)
}
