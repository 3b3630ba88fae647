package worker

import (
	"encoding/binary"
	"fmt"

	"vatwarehouse/swing"
)

// The errno values of WASI preview 1 that are answered here.
const (
	wasiOK     = 0
	wasiBadFD  = 8
	wasiInval  = 28
	wasiNoSys  = 52
	wasiSeekNo = 70
)

// wasiPreview1 is what toolchains with a system library insist on (Go,
// wasi-libc, Rust). It is deterministic and ours: wazero's own keeps a clock
// and a random state where no snapshot can reach them. Nothing in it sees the
// machine. There are no arguments, no environment and no files.
var wasiPreview1 = hostModule{"wasi_snapshot_preview1", append([]hostFunction{
	{"args_sizes_get", "ii", "i", wasiNone},
	{"args_get", "ii", "i", wasiAnswer(wasiOK)},
	{"environ_sizes_get", "ii", "i", wasiNone},
	{"environ_get", "ii", "i", wasiAnswer(wasiOK)},
	{"clock_time_get", "iIi", "i", wasiClock},
	{"clock_res_get", "ii", "i", wasiResolution},
	{"random_get", "ii", "i", wasiRandom},
	{"poll_oneoff", "iiii", "i", wasiPoll},
	{"fd_write", "iiii", "i", wasiWrite},
	{"fd_fdstat_get", "ii", "i", wasiStat},
	{"proc_exit", "i", "", wasiExit},
	{"proc_raise", "i", "i", wasiExit},
	{"sched_yield", "", "i", wasiAnswer(wasiOK)},
	{"fd_fdstat_set_flags", "ii", "i", wasiAnswer(wasiOK)},
	{"fd_seek", "iIii", "i", wasiAnswer(wasiSeekNo)},
}, wasiAbsent()...)}

// wasiAbsent are the functions that always fail, in the way that says there is
// no such file, or no such thing.
func wasiAbsent() (fs []hostFunction) {
	for name, params := range map[string]string{
		"fd_prestat_get": "ii", "fd_prestat_dir_name": "iii", "fd_close": "i", "fd_read": "iiii",
		"fd_pread": "iiiIi", "fd_pwrite": "iiiIi", "fd_tell": "ii", "fd_sync": "i",
		"fd_filestat_get": "ii", "fd_filestat_set_size": "iI", "fd_filestat_set_times": "iIIi",
		"fd_fdstat_set_rights": "iII", "fd_readdir": "iiiIi", "fd_renumber": "ii",
		"fd_advise": "iIIi", "fd_allocate": "iII", "fd_datasync": "i", "path_open": "iiiiiIIii",
		"path_filestat_get": "iiiii", "path_filestat_set_times": "iiiiIIi",
		"path_create_directory": "iii", "path_remove_directory": "iii", "path_unlink_file": "iii",
		"path_rename": "iiiiii", "path_link": "iiiiiii", "path_symlink": "iiiii",
		"path_readlink": "iiiiii",
	} {
		fs = append(fs, hostFunction{name, params, "i", wasiAnswer(wasiBadFD)})
	}
	for name, params := range map[string]string{
		"sock_accept": "iii", "sock_recv": "iiiiii", "sock_send": "iiiii", "sock_shutdown": "ii",
	} {
		fs = append(fs, hostFunction{name, params, "i", wasiAnswer(wasiNoSys)})
	}
	return fs
}

func wasiAnswer(errno uint64) func(*delivering, []uint64) {
	return func(_ *delivering, words []uint64) { words[0] = errno }
}

func (d *delivering) putU32(at, v uint32) { binary.LittleEndian.PutUint32(d.bytes(at, 4), v) }

func (d *delivering) putU64(at uint32, v uint64) {
	binary.LittleEndian.PutUint64(d.bytes(at, 8), v)
}

// wasiNone says that there are no arguments, or no environment.
func wasiNone(d *delivering, words []uint64) {
	d.putU32(i32(words[0]), 0)
	d.putU32(i32(words[1]), 0)
	words[0] = wasiOK
}

// wasiClock tells every clock the same: the latest delivery's time, or where
// waiting has moved it. It stands still while a delivery runs, and is never zero.
func wasiClock(d *delivering, words []uint64) {
	d.putU64(i32(words[2]), max(d.worker.heap.Clock, 1))
	words[0] = wasiOK
}

func wasiResolution(d *delivering, words []uint64) {
	d.putU64(i32(words[1]), 1)
	words[0] = wasiOK
}

func wasiRandom(d *delivering, words []uint64) {
	h := &d.worker.heap
	b := d.bytes(i32(words[0]), i32(words[1]))
	d.payBytes(len(b))
	swing.Stream(d.worker.seed, h.Random, b)
	h.Random += uint64(len(b))
	words[0] = wasiOK
}

// The layouts of WASI preview 1's subscription, event and ciovec.
const (
	subscriptionBytes = 48
	eventBytes        = 32
	iovecBytes        = 8
	fdstatBytes       = 24
)

// pollMax bounds the subscriptions of one poll_oneoff.
const pollMax = 1024

// wasiPoll makes every event happen at once: waiting moves the vat's clock to
// the deadline, and nothing else.
func wasiPoll(d *delivering, words []uint64) {
	in, out, n := i32(words[0]), i32(words[1]), i32(words[2])
	if n == 0 || n > pollMax {
		words[0] = wasiInval
		return
	}
	d.payBytes(int(n) * (subscriptionBytes + eventBytes))
	clock := d.worker.heap.Clock
	subs := append([]byte(nil), d.bytes(in, n*subscriptionBytes)...) // the two may overlap
	events := d.bytes(out, n*eventBytes)
	clear(events)
	for i := range int(n) {
		sub, event := subs[i*subscriptionBytes:], events[i*eventBytes:]
		copy(event[:8], sub[:8]) // userdata
		event[10] = sub[8]       // type
		if sub[8] != 0 {
			continue // not a clock
		}
		deadline := binary.LittleEndian.Uint64(sub[24:])
		if absolute := sub[40]&1 != 0; !absolute {
			deadline += clock
		}
		d.worker.heap.Clock = max(d.worker.heap.Clock, deadline)
	}
	d.putU32(i32(words[3]), n)
	words[0] = wasiOK
}

// iovecsMax bounds the pieces of one fd_write.
const iovecsMax = 1024

// wasiWrite logs what goes to standard output and standard error.
func wasiWrite(d *delivering, words []uint64) {
	fd, list, n := i32(words[0]), i32(words[1]), i32(words[2])
	if fd != 1 && fd != 2 {
		words[0] = wasiBadFD
		return
	}
	if n > iovecsMax {
		words[0] = wasiInval
		return
	}
	level := map[uint32]Level{1: LevelInfo, 2: LevelWarn}[fd]
	var total uint32
	for i := range n {
		d.payBytes(iovecBytes)
		vec := d.bytes(list+i*iovecBytes, iovecBytes)
		at, size := binary.LittleEndian.Uint32(vec), binary.LittleEndian.Uint32(vec[4:])
		d.write(level, d.bytes(at, size))
		total += size
	}
	d.putU32(i32(words[3]), total)
	words[0] = wasiOK
}

// wasiStat says that the three standard descriptors are character devices.
func wasiStat(d *delivering, words []uint64) {
	if i32(words[0]) > 2 {
		words[0] = wasiBadFD
		return
	}
	const characterDevice = 2
	stat := d.bytes(i32(words[1]), fdstatBytes)
	clear(stat)
	stat[0] = characterDevice
	words[0] = wasiOK
}

func wasiExit(d *delivering, words []uint64) {
	d.refuse(fmt.Sprintf("exit code %d", i32(words[0])))
}
