package kvstore_test

import (
	"fmt"
	"log"

	"vatwarehouse/kvstore"
	"vatwarehouse/vfs"
)

// The life of a store beside its log: cranks, a block, a crash before any
// checkpoint, and the same state again from the log.
func Example() {
	fs := vfs.NewMem()
	s, err := kvstore.Open(kvstore.Options{FS: fs})
	if err != nil {
		log.Fatal(err)
	}
	s.Set("v1.c.ko20", []byte("o+0"))
	save := s.Savepoint()
	s.Delete("v1.c.ko20")
	s.Rollback(save)
	fmt.Println("crankhash", s.Seal().Short())

	changes, n := s.Changes(nil)
	if err := s.Err(); err != nil {
		log.Fatal(err)
	}
	position := s.Position()
	fmt.Println(n, "keys for the log at position", position)
	s.Commit() // once the log has synced them

	s, err = kvstore.Open(kvstore.Options{FS: fs.Crash(1, 0)})
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Redo(position, changes); err != nil {
		log.Fatal(err)
	}
	value, ok := s.Get("v1.c.ko20")
	fmt.Printf("%s %v, activityhash %s\n", value, ok, s.Activityhash().Short())
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// crankhash cc6d4ac32616
	// 2 keys for the log at position 0
	// o+0 true, activityhash d0a71246d404
}
