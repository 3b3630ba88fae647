package trace

import "container/heap"

// uses are the vats in memory with when each is used next, the furthest first out.
type uses struct {
	order []use       // a heap
	at    map[int]int // where in it a vat is
}

type use struct{ vat, next int }

// Len, Less, Swap, Push and Pop are those of a heap.
func (u *uses) Len() int           { return len(u.order) }
func (u *uses) Less(i, j int) bool { return u.order[i].next > u.order[j].next }
func (u *uses) Swap(i, j int) {
	u.order[i], u.order[j] = u.order[j], u.order[i]
	u.at[u.order[i].vat], u.at[u.order[j].vat] = i, j
}

// Push implements heap.Interface.
func (u *uses) Push(x any) {
	one := x.(use)
	u.at[one.vat] = len(u.order)
	u.order = append(u.order, one)
}

// Pop implements heap.Interface.
func (u *uses) Pop() any {
	last := u.order[len(u.order)-1]
	u.order = u.order[:len(u.order)-1]
	delete(u.at, last.vat)
	return last
}

func (u *uses) has(vat int) bool {
	_, ok := u.at[vat]
	return ok
}

// set says when a vat is used next, and puts it there if it was not.
func (u *uses) set(vat, next int) {
	if u.at == nil {
		u.at = map[int]int{}
	}
	if i, ok := u.at[vat]; ok {
		u.order[i].next = next
		heap.Fix(u, i)
		return
	}
	heap.Push(u, use{vat, next})
}

func (u *uses) remove(vat int) {
	if i, ok := u.at[vat]; ok {
		heap.Remove(u, i)
	}
}

func (u *uses) removeFurthest() { heap.Pop(u) }
