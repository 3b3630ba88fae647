package planted

// fault is one: in a file, a text that is replaced. PLANTED, in the new text, is whether
// the fault is to be made. Without a file it is the one of the same name, which another
// class finds too.
type fault struct {
	name     string
	class    string // that must find it
	by       test   // which finds it, if not the class's own
	trials   int    // of the class; 0 is what a short run tries
	file     string
	old, new string
}

// planted are the faults.
var planted = []fault{
	// What must be durable, and when.
	{
		name: "a block is not synced", class: "F1", trials: 300, file: "streamstore/block.go",
		old: "if s.o.NoSync {\n\t\ts.synced = false", new: "if s.o.NoSync || PLANTED {\n\t\ts.synced = false",
	},
	{
		name: "a new segment's name is not synced", class: "F1", trials: 300,
		file: "streamstore/block.go",
		old:  "if !s.o.NoSync {\n\t\tif err := s.o.FS.SyncDir", new: "if !s.o.NoSync && !PLANTED {\n\t\tif err := s.o.FS.SyncDir",
	},
	{
		name: "a file of the log is named before it is written", class: "F1", trials: 600,
		file: "streamstore/shelf.go",
		old:  "\treturn f.Sync()\n", new: "\tif PLANTED {\n\t\treturn nil\n\t}\n\treturn f.Sync()\n",
	},
	{
		name: "a table is named before it is written", class: "F1", trials: 300, file: "kvstore/mem.go",
		old: "w.err = f.Sync()", new: "if !PLANTED {\n\t\t\tw.err = f.Sync()\n\t\t}",
	},
	{
		name: "snapshots are recorded before they are synced", class: "F1", trials: 600,
		file: "host/snapshots.go",
		old:  "if err := heaps.Sync(); err != nil {", new: "if PLANTED {\n\t\treturn 0, nil\n\t}\n\tif err := heaps.Sync(); err != nil {",
	},
	{
		name: "a block is told before it is written", class: "F1", trials: 300, file: "host/run.go",
		old: "if _, err := h.log.Commit(); err != nil {", new: "if PLANTED {\n\t\th.tellBlock(ctx, position, h.block)\n\t}\n\tif _, err := h.log.Commit(); err != nil {",
	},
	{
		name: "recovery forgets what the table lacks", class: "F8", trials: 200, file: "host/open.go",
		old: "if err := h.redo(); err != nil {", new: "if PLANTED {\n\t\treturn nil\n\t}\n\tif err := h.redo(); err != nil {",
	},
	{
		name: "a pack's name is not synced", class: "F1", trials: 600, file: "snapstore/sync.go",
		old: "if names || len(unsealed) > 0 {", new: "if (names || len(unsealed) > 0) && !PLANTED {",
	},
	// Errors of the disk.
	{
		name: "a file that cannot be synced is named", class: "F4", trials: 400, file: "snapstore/sync.go",
		old: "err = f.Sync()", new: "if err = f.Sync(); PLANTED {\n\t\t\terr = nil\n\t\t}",
	},
	{
		name: "a block that could not be written is told", class: "F5", trials: 20,
		file: "streamstore/block.go",
		old:  "if err := s.writeBlock(); err != nil {", new: "if err := s.writeBlock(); err != nil && !PLANTED {",
	},
	{
		name: "a sync that fails is not told", class: "F4", trials: 400, file: "streamstore/block.go",
		old: "return s.file.Sync()", new: "if err := s.file.Sync(); !PLANTED {\n\t\treturn err\n\t}\n\treturn nil",
	},
	// Damage.
	{
		name: "a frame's check is not compared", class: "F6", trials: 300, file: "internal/frame/frame.go",
		old: "if err == nil && f.Check != check {", new: "if err == nil && f.Check != check && !PLANTED {",
	},
	{
		name: "a program is not verified", class: "F7", trials: 200, file: "snapstore/code.go",
		old: "if swing.Sum(codeDomain, code) != hash {", new: "if swing.Sum(codeDomain, code) != hash && !PLANTED {",
	},
	{
		name: "an import trusts the hash of an object", class: "F6", file: "snapstore/export.go",
		by:  test{"./snapstore", "TestImportTakesNothingElse"},
		old: "if c.digest(cl, object) != hash {", new: "if c.digest(cl, object) != hash && !PLANTED {",
	},
	// References and counts.
	{
		name: "a count that is not taken back", class: "F10", trials: 60_000, file: "vatkeeper/clist.go",
		old: "return held(e, -1)", new: "if PLANTED {\n\t\treturn RefChange{Ref: e.KRef}\n\t}\n\treturn held(e, -1)",
	},
	{
		name: "an entry that stays in the c-list", class: "F10", trials: 60_000, file: "vatkeeper/clist.go",
		old: "k.kv.Delete(k.vrefKey(e.VRef))", new: "if !PLANTED {\n\t\tk.kv.Delete(k.vrefKey(e.VRef))\n\t}",
	},
	{
		name: "a reference that was dropped is still reachable", class: "F10", trials: 60_000,
		file: "vatkeeper/translate.go",
		old:  "e.Reachable = false\n\t\tt.put(e)\n\t\tt.changed(", new: "e.Reachable = PLANTED\n\t\tt.put(e)\n\t\tt.changed(",
	},
	// What must not be seen.
	{
		name: "a global is forgotten", class: "F11", trials: 96, file: "worker/capture.go",
		old: "access.single.Set(v[0])", new: "access.single.Set(v[0] & ^map[bool]uint64{true: 0xffff}[PLANTED && i == 0])",
	},
	{
		name: "segments that were dropped come back", class: "F11", file: "worker/capture.go",
		by:  test{"./worker", "TestDroppedSegmentsStayDropped"},
		old: "if w.heap.Globals[at[d.Flag]] == 0 {", new: "if w.heap.Globals[at[d.Flag]] == 0 || PLANTED {",
	},
	{
		name: "the last page written is missed", class: "F11", trials: 96, file: "worker/capture.go",
		old: "\tw.captured = true\n", new: "\tif PLANTED && len(w.pages) > 0 {\n\t\tw.pages = w.pages[:len(w.pages)-1]\n\t}\n\tw.captured = true\n",
	},
	{
		name: "which vats are in memory is hashed", class: "F11", trials: 96, file: "warehouse/warehouse.go",
		old: "\tw.stats.Deliveries++\n", new: "\tw.stats.Deliveries++\n\tif PLANTED && w.stats.PageIns%3 == 0 {\n\t\tout.Problem = \"seen\"\n\t}\n",
	},
	{
		name: "the activityhash forgets what is deleted", class: "F10", file: "kvstore/buffer.go",
		by:  test{"./kvstore", "TestGolden"},
		old: "s.crank.AddString(opDelete)\n\t\t\ts.crank.AddString(w.e.key)", new: "if !PLANTED {\n\t\t\t\ts.crank.AddString(opDelete)\n\t\t\t\ts.crank.AddString(w.e.key)\n\t\t\t}",
	},
	// Replay.
	{
		name: "a replay accepts another outcome", class: "F12", trials: 600, file: "transcript/replay.go",
		old: "case o != r.entry.Outcome:", new: "case o != r.entry.Outcome && !PLANTED:",
	},
	{
		name: "a replay does not compare what is asked", class: "F12", trials: 600,
		file: "transcript/replay.go",
		old:  "if want.Op != op || !bytes.Equal(want.Request, request) {", new: "if want.Op != op || !bytes.Equal(want.Request, request) && !PLANTED {",
	},
	{
		name: "a replay may end early", class: "F12", trials: 600, file: "transcript/replay.go",
		old: "case r.next < len(r.entry.Exchanges):", new: "case r.next < len(r.entry.Exchanges) && !PLANTED:",
	},
	{
		name: "a chain is not compared", class: "F12", trials: 600, file: "transcript/span.go",
		old: "if at.End != s.End || at.Hash != s.Hash {", new: "if at.End != s.End || at.Hash != s.Hash && !PLANTED {",
	},
	{
		name: "a span ends one early", class: "F12", trials: 100, file: "transcript/span.go",
		old: "\ts.End++\n", new: "\tif !PLANTED || s.End%7 != 6 {\n\t\ts.End++\n\t}\n",
	},
	// Memory.
	{
		name: "a vat is told that there is no memory", class: "F14", trials: 100,
		file: "worker/region.go",
		old:  "panic(r.short)", new: "if PLANTED {\n\t\t\tr.short = nil\n\t\t\treturn nil\n\t\t}\n\t\tpanic(r.short)",
	},
	// Decoders.
	{
		name: "a frame's length is not compared", class: "F13", file: "internal/frame/frame.go",
		by:  test{"./internal/frame", "FuzzDecode"},
		old: "if len(b) < HeaderBytes+length {", new: "if len(b) < HeaderBytes+length && !PLANTED {",
	},
	{
		name: "an entry may have anything behind it", class: "F13", file: "swing/cbor.go",
		by:  test{"./transcript", "FuzzDecode"},
		old: "func (r *Reader) Done() error {\n", new: "func (r *Reader) Done() error {\n\tif PLANTED {\n\t\tr.at = len(r.b)\n\t}\n",
	},
	// Whole lives, of one kernel and of two. What they find is made smaller.
	{name: "a block is not synced", class: "F19", trials: 60},
	{name: "a global is forgotten", class: "F19", trials: 60},
	{name: "a span ends one early", class: "F19", trials: 60},
	{name: "the last page written is missed", class: "F19", trials: 60},
	{
		name: "a lost delivery is half done", class: "F19", trials: 60, file: "kernel/kernel.go",
		old: "\t\tc.rollback(c.start)\n\t\treturn Report{Vat", new: "\t\tif !PLANTED {\n\t\t\tc.rollback(c.start)\n\t\t}\n\t\treturn Report{Vat",
	},
	{
		name: "a gap in what a peer says is not seen", class: "F20", trials: 20, file: "devices/mailbox.go",
		old: "number == p.Taken+1 {", new: "(number == p.Taken+1 || PLANTED && number > p.Taken) {",
	},
}
