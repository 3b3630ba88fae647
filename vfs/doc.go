// Package vfs is the file layer: the only way from the stores to a file.
//
// Four file systems stand behind one interface. [Open] is a directory of the
// machine, and nothing outside it can be named. [Mem] is in memory, and can say
// what a crash would have left behind. [Overlay] is a Mem that begins as what
// another holds, and leaves that as it is. [Faulty] wraps any and fails the
// operations it is told to.
//
// # Names
//
// A name is made of parts joined by "/", each of [a-z0-9.-], 1 to 100 bytes,
// never "." or "..". Names are made by the stores, never from input. What a name
// leads to is a plain file or a directory: a symbolic link, a pipe or a device
// on the way or at the end is refused with [ErrNotPlain], never followed.
//
// # Modes
//
// What a directory's FS makes has mode 0600, or 0700, and what it finds that others than
// the owner can write, of itself or on the way, is refused with [ErrNotPrivate]. (On Windows
// modes do not say so, and nothing is looked at.)
//
// # What survives a crash
//
// Content and length survive once File.Sync has returned. A name (created,
// renamed or removed) survives once SyncDir of its directory has returned;
// File.Sync does nothing for the name. Everything else may survive or not:
//
//	unsynced            after a crash
//	WriteAt             there, not there, or there in some of its 512-byte
//	                    sectors (by file offset)
//	length grown        old, new, or between; what was not written reads as zero
//	Truncate            done or not, whatever happened to the writes around it
//	Preallocate         done or not
//	Create, Remove      done or not
//	Rename              done or not, as one: never both names, never neither
//
// [Mem.Crash] draws such states. It does not draw: sectors with other bytes than
// were written (a store finds those by its checks, and tests them by flipping
// bits), renames between directories (there are none), or the loss of what was
// synced.
//
// # Caveats
//
// On Windows a directory cannot be synced, and SyncDir does nothing. Only on
// Linux does Preallocate set blocks aside; elsewhere it sets the length. The
// check for links looks before it opens: it is a guard against a directory that
// was prepared, not against a process that changes it at the same time, and
// even then os.Root lets nothing outside the directory be reached.
package vfs
