package streamstore_test

import (
	"fmt"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// A block: items of two streams that become durable together; and what a crash
// before the next commit leaves.
func Example() {
	disk := vfs.NewMem() // or vfs.Open("/var/lib/app")
	log, _, err := streamstore.Open(streamstore.Options{FS: disk})
	if err != nil {
		panic(err)
	}
	log.Append("transcript.v1", 0, []byte("start"))
	log.Append("kv", 0, []byte("k=v"))
	block, err := log.Commit()
	fmt.Println("block", block, err)
	log.Append("transcript.v1", 1, []byte("lost"))

	log, found, err := streamstore.Open(streamstore.Options{FS: disk.Crash(1, 50)})
	if err != nil {
		panic(err)
	}
	fmt.Println("found block", found.Block, log.Streams())
	start, end, _ := log.Bounds("transcript.v1")
	for item, err := range log.Read("transcript.v1", start, end) {
		fmt.Printf("%s %v\n", item, err)
	}
	fmt.Println(log.Close())
	// Output:
	// block 1 <nil>
	// found block 1 [kv transcript.v1]
	// start <nil>
	// <nil>
}
