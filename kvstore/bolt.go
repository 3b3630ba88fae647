package kvstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"vatwarehouse/vfs"
)

// The two buckets of a table's file, and the one key of the first.
var (
	headBucket = []byte("head")
	pairBucket = []byte("pairs")
	headKey    = []byte("head")
)

const (
	// boltFileMode is of a new table: nobody else's business.
	boltFileMode os.FileMode = 0o600
	// boltLockWait is how long Open waits for another process to let go.
	boltLockWait = time.Second
	// boltValuesBytes is the unit in which a checkpoint sets memory aside for
	// the values it hands to bbolt.
	boltValuesBytes = 64 << 10
)

// boltTable is a table in a bbolt file.
type boltTable struct {
	o    Options
	file *os.File
	db   *bbolt.DB
	at   head
	lost bool
	// tx and cursor are the readers' view, held for at most one block: bbolt can
	// neither reuse pages nor map a grown file anew while it is.
	tx     *bbolt.Tx
	cursor *bbolt.Cursor
	key    []byte // room for a key
	// wrecked says that bbolt panicked while it held a lock of its own, as it does
	// when it begins or writes: the next call that wants the lock would wait for
	// ever. So none is made, and the mapping is left to the process's end.
	wrecked atomic.Bool
}

func boltOptions(o Options, file **os.File) *bbolt.Options {
	return &bbolt.Options{
		Timeout:         boltLockWait,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: o.MapBytes,
		PageSize:        pageBytes,
		NoSync:          o.NoSync,
		NoGrowSync:      o.NoSync,
		NoStatistics:    true,
		OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
			f, err := o.FS.OpenFile(name, flag, perm)
			*file = f // for the audit, and for a close that must not ask bbolt
			return f, err
		},
	}
}

// createBolt makes an empty table. bbolt fills a new file in steps that a crash
// may cut off, so it gets its name only when it is whole: an empty or short
// file of that name is never the work of a crash.
func createBolt(o Options) error {
	if err := removeNew(o); err != nil {
		return err
	}
	fresh := o
	fresh.Name += newSuffix
	t, err := bareBolt(fresh)
	if err != nil {
		return err
	}
	err = t.db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket(pairBucket); err != nil {
			return err
		}
		b, err := tx.CreateBucket(headBucket)
		if err != nil {
			return err
		}
		return b.Put(headKey, head{}.encode())
	})
	if err := errors.Join(err, t.close()); err != nil {
		return err
	}
	return adoptNew(o)
}

// openBolt opens a table and verifies all of it. bbolt trusts its file: it maps
// it and follows its pages. So what bbolt itself reads when it opens is verified
// first, and the rest, under its lock, before the table is used. Nothing here
// writes.
func openBolt(o Options) (*boltTable, error) {
	if err := removeNew(o); err != nil {
		return nil, err
	}
	if err := auditMeta(o); err != nil {
		return nil, err
	}
	t, err := bareBolt(o)
	if err != nil {
		return nil, err
	}
	if err := t.audit(); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func bareBolt(o Options) (t *boltTable, err error) {
	t = &boltTable{o: o}
	perr := guard(func() error {
		t.db, err = bbolt.Open(o.Name, boltFileMode, boltOptions(o, &t.file))
		return nil
	})
	if perr != nil {
		return nil, errors.Join(perr, t.file.Close())
	}
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %w", vfs.ErrInUse, err)
	}
	return t, err
}

// guard runs what reads bbolt's mapping. Rot that came after Open shows there as
// a panic of bbolt's or as a fault of the memory: both are ErrCorrupt. So would a
// fault of ours be: fn does as little else as it can.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: bbolt: %v", ErrCorrupt, p)
		}
	}()
	return fn()
}

func (t *boltTable) head() head     { return t.at }
func (t *boltTable) metaLost() bool { return t.lost }

// view makes sure that there is a view of the file to read from.
func (t *boltTable) view() error {
	if t.cursor != nil {
		return nil
	}
	if t.tx == nil {
		if err := t.begin(); err != nil {
			return err
		}
	}
	t.cursor = t.tx.Bucket(pairBucket).Cursor()
	return nil
}

func (t *boltTable) begin() (err error) {
	if t.wrecked.Load() {
		return ErrBroken
	}
	returned := false
	defer func() {
		if !returned {
			t.wrecked.Store(true)
		}
	}()
	t.tx, err = t.db.Begin(false)
	returned = true
	return err
}

func (t *boltTable) get(key string) (value []byte, ok bool, err error) {
	t.key = append(t.key[:0], key...)
	err = guard(func() error {
		if err := t.view(); err != nil {
			return err
		}
		k, stored := t.cursor.Seek(t.key)
		if !bytes.Equal(k, t.key) {
			return nil
		}
		v, err := verifyValue(t.key, stored)
		if err == nil {
			value, ok = append(make([]byte, 0, len(v)), v...), true
		}
		return err
	})
	return value, ok, err
}

func (t *boltTable) next(after string) (key string, err error) {
	t.key = append(t.key[:0], after...)
	err = guard(func() error {
		if err := t.view(); err != nil {
			return err
		}
		k, _ := t.cursor.Seek(t.key)
		if bytes.Equal(k, t.key) {
			k, _ = t.cursor.Next()
		}
		if k != nil && string(k) <= after {
			return fmt.Errorf("%w: key %.40q follows %.40q", ErrCorrupt, k, after)
		}
		key = string(k)
		return nil
	})
	return key, err
}

func (t *boltTable) release() {
	if t.tx == nil {
		return
	}
	if err := t.tx.Rollback(); err != nil {
		panic(fmt.Sprintf("kvstore: the end of a read: %v", err))
	}
	t.tx, t.cursor = nil, nil
}

func (t *boltTable) checkpoint(position uint64, sorted func() []*entry) func() error {
	return func() error {
		at := t.at
		at.position = position
		dirty := sorted()
		returned := false
		err := guard(func() error {
			err := t.db.Update(func(tx *bbolt.Tx) error { return at.write(tx, dirty) })
			returned = true
			return err
		})
		if !returned {
			t.wrecked.Store(true)
		}
		if err == nil {
			t.at = at
		}
		return err
	}
}

// write brings the pairs of a transaction to the state of the dirty entries, and
// records the head that goes with it.
func (h *head) write(tx *bbolt.Tx, dirty []*entry) error {
	bucket := tx.Bucket(pairBucket)
	cursor, sums := bucket.Cursor(), newPairs()
	var key, room []byte
	for _, e := range dirty {
		key = append(key[:0], e.key...)
		k, stored := cursor.Seek(key)
		if had := bytes.Equal(k, key); had {
			old, err := verifyValue(key, stored)
			if err != nil {
				return err
			}
			if e.state == present && bytes.Equal(old, e.value) {
				continue
			}
			h.remove(sums.sum(key, old))
		} else if e.state == absent {
			continue
		}
		if e.state == absent {
			if err := bucket.Delete(key); err != nil {
				return err
			}
			continue
		}
		h.insert(sums.sum(key, e.value))
		// bbolt keeps the value it is given until the transaction is over.
		if size := checkBytes + len(e.value); cap(room)-len(room) < size {
			room = make([]byte, 0, max(size, boltValuesBytes))
		}
		start := len(room)
		room = appendValue(room, key, e.value)
		if err := bucket.Put(key, room[start:]); err != nil {
			return err
		}
	}
	return tx.Bucket(headBucket).Put(headKey, h.encode())
}

func (t *boltTable) close() error {
	t.release()
	if t.wrecked.Load() {
		return t.file.Close()
	}
	return t.db.Close()
}
