package trial

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each runs a function for every index, on all processors, until one fails, and
// returns the first error.
func Each(n int, f func(i int) error) (err error) {
	var wg sync.WaitGroup
	var next atomic.Int64
	var once sync.Once
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				if failed := f(i); failed != nil {
					once.Do(func() { err = failed })
					next.Store(int64(n))
				}
			}
		})
	}
	wg.Wait()
	return err
}
