// comms_rows.h: what comms keeps, all of it in the vatstore: a row for each thing, and
// nothing in memory but what one delivery needs. Included by comms.c only.
//
// A thing has one reference, wherever it is: what the kernel calls it, or would. Its
// names on a link are references, too, "-" for what the other side has numbered. In
// rows they are as we say them; on the link, as the receiver does.
//
//	n                the counters
//	name.NAME        [R]: the number of the remote of that name
//	r.R  m.R  c.R    a remote; its name; why it was cut off
//	a.R              [] for a remote that waits to hear that we took its resolutions in
//	o.REF            an object
//	p.REF            a promise; d.REF what it was settled with: [body, [slots]]
//	k.REF            [promise], which the kernel calls otherwise
//	x.REF.R          a remote knows an object that is not its own, or a promise that is
//	                 not settled
//	y.R.NAME         [reference]: what a name on a link means
//	z.R              a remote that is to be swept, at the next reap
//	g.REF            an object of the kernel's that is gone, of which remotes are not told yet
//	q.R.NUMBER       [names …] of promises that the message of that number has settled:
//	                 until it is acknowledged, messages for them may be on their way
//
// Values are lists of numbers, in the order of the structs below; references are
// numbers as vat.h has them.

enum {
	WIRE_MAX = 160 << 10,  // bytes of one message on a link
	BODY_MAX = 64 << 10,   // bytes of one body
	SLOTS_MAX = 128,       // references of one body
	SETTLED_MAX = 64,      // promises that are settled together
	WORK_MAX = SETTLED_MAX + SLOTS_MAX, // with those that are new to whom it is said
	REFS_MAX = 400,        // references that one message drops or retires
	METHOD_MAX = 1024,     // bytes of a method
	REASON_MAX = 200,      // bytes of why a remote is cut off
	REMOTES_MAX = 200,
	EGRESS_MAX = 1000,     // names of objects below are agreed upon by people
	SYSCALLS_ENOUGH = 3000, // after so many, what can wait is left to a later delivery
	SYSCALLS_MAX = 8000,   // after so many, what must not be forgotten is only written down
};

#define VAT_REQUEST_BYTES (WIRE_MAX + 1024)
#include "vat.h"

#define KERNEL ((uint64_t)0)        // whose something is that is no remote's
#define SELF (~(uint64_t)0)         // who decides a promise of which it is not known yet
enum { OBJECTS = 1, RECEIVERS = 2 }; // kinds of durable objects: remotes'; ours, one each

static uint32_t syscalls; // of this delivery, near enough

// ---- keys ----

typedef struct {
	uint8_t at[96];
	uint32_t len;
} row_key;

static void key_raw(row_key *k, vat_bytes b) {
	if (b.len > sizeof k->at - k->len) __builtin_trap();
	__builtin_memcpy(k->at + k->len, b.at, b.len);
	k->len += b.len;
}

static row_key key_of(const char *kind) {
	row_key k = {.len = 0};
	key_raw(&k, vat_text(kind));
	return k;
}

static void key_ref(row_key *k, vat_ref ref) {
	uint8_t text[vat_ref_bytes];
	key_raw(k, vat_text("."));
	key_raw(k, (vat_bytes){text, vat_format_ref(ref, text)});
}

// key_number adds a number in 16 hex digits, so that keys are in the order of numbers.
static void key_number(row_key *k, uint64_t n) {
	uint8_t text[17] = ".";
	for (uint32_t i = 16; i; i--, n >>= 4) text[i] = (uint8_t)"0123456789abcdef"[n & 15];
	key_raw(k, (vat_bytes){text, sizeof text});
}

static row_key ref_key(const char *kind, vat_ref ref) {
	row_key k = key_of(kind);
	key_ref(&k, ref);
	return k;
}

static row_key number_key(const char *kind, uint64_t n) {
	row_key k = key_of(kind);
	key_number(&k, n);
	return k;
}

static row_key holder_key(vat_ref ref, uint64_t remote) {
	row_key k = ref_key("x", ref);
	key_number(&k, remote);
	return k;
}

static row_key name_key(uint64_t remote, vat_ref name) {
	row_key k = number_key("y", remote);
	key_ref(&k, name);
	return k;
}

static row_key settling_key(uint64_t remote, uint64_t number) {
	row_key k = number_key("q", remote);
	key_number(&k, number);
	return k;
}

static vat_bytes bytes_of(const row_key *k) { return (vat_bytes){k->at, k->len}; }

// ---- values ----

static void set(row_key k, vat_bytes value) {
	syscalls++;
	vat_set(bytes_of(&k), value);
}

static void erase(row_key k) {
	syscalls++;
	vat_delete(bytes_of(&k));
}

static int32_t get(row_key k, void *to, uint32_t room) {
	syscalls++;
	return vat_get(bytes_of(&k), to, room);
}

enum { NUMBERS_MAX = WORK_MAX };

static void store(row_key k, const uint64_t *fields, uint32_t n) {
	static uint8_t value[3 + 9 * NUMBERS_MAX];
	vat_writer w = {.to = value, .room = sizeof value};
	vat_put_list(&w, n);
	for (uint32_t i = 0; i < n; i++) vat_put_uint(&w, fields[i]);
	set(k, (vat_bytes){value, w.len});
}

// load reads a row of up to n numbers and returns how many there are; 0 if it is not there.
static uint32_t load(row_key k, uint64_t *fields, uint32_t n) {
	static uint8_t value[3 + 9 * NUMBERS_MAX];
	int32_t len = get(k, value, sizeof value);
	if (len == VAT_ABSENT) return 0;
	vat_reader r = vat_reader_of((vat_bytes){value, (uint32_t)len});
	uint32_t count = vat_take_count(&r);
	if (count > n) __builtin_trap();
	for (uint32_t i = 0; i < count; i++) fields[i] = vat_take_uint(&r);
	if (!vat_taken(&r)) __builtin_trap();
	return count;
}

// FIELDS gives a row's struct, which has numbers only, to load and store.
#define FIELDS(row) (uint64_t *)(row), sizeof *(row) / sizeof(uint64_t)

// next finds the first key behind k that begins with the first len bytes of k, and
// puts it in k.
static bool next(row_key *k, uint32_t len) {
	row_key found;
	syscalls++;
	int32_t n = vat_next(bytes_of(k), found.at, sizeof found.at);
	if (n == VAT_ABSENT || n > (int32_t)sizeof found.at || n < (int32_t)len) return false;
	found.len = (uint32_t)n;
	if (!vat_equal((vat_bytes){found.at, len}, (vat_bytes){k->at, len})) return false;
	*k = found;
	return true;
}

// last_number reads the number that a key ends with.
static uint64_t last_number(const row_key *k) {
	uint64_t n = 0;
	for (uint32_t i = k->len - 16; i < k->len; i++)
		n = n << 4 | (uint64_t)(k->at[i] <= '9' ? k->at[i] - '0' : k->at[i] - 'a' + 10);
	return n;
}

// ---- the rows ----

// counters are kept in memory during a delivery.
static struct {
	uint64_t objects, promises, remotes; // the last numbers given out
	uint64_t incarnation;                // of this vat: what an old one decided, is rejected
} counters;
static bool counters_changed;

static uint64_t count_up(uint64_t *counter) {
	counters_changed = true;
	return ++*counter;
}

typedef struct {
	uint64_t mailbox;           // the device
	uint64_t cut;               // 1 once it is cut off
	uint64_t sent, received;    // messages
	uint64_t heard, done;       // acknowledged by it: as it says; of which rows q are gone
	uint64_t settling;          // the number of the last message with a row q
	uint64_t owed;              // 1 if there is a row a
	uint64_t objects, promises; // the last names given out
} remote_row;

typedef struct {
	uint64_t owner, name; // the remote, and its name for it; or KERNEL
	uint64_t reachable;   // how many remotes, or settled promises, hold it
	uint64_t known;       // how many at least know it
	uint64_t kernel;      // 2 the kernel holds it, or we hold the kernel's; 1 knows it only
	uint64_t dropped;     // 1 if its owner was told that nobody holds it
} object_row;

typedef struct {
	uint64_t holders; // names on links, and data of settled promises
	uint64_t state;   // 0 unresolved, 1 fulfilled, 2 rejected
	uint64_t decider; // KERNEL, a remote or SELF; once settled, who has settled it
	uint64_t told;    // the incarnation that the kernel knows it by, 0 if it does not
	uint64_t name;    // what the kernel calls it
} promise_row;

typedef struct {
	uint64_t name;      // on the link
	uint64_t reachable; // 1 until it drops the object
	uint64_t number;    // of the message that mentioned it last
	uint64_t pinned;    // 1 for an egress: what it says of dropping it does not count
} holder_row;

// touched are objects that may have lost their last holder. One that finds no room, which
// takes a thousand references, may be kept until it is touched again.
static vat_ref touched[8 * SLOTS_MAX];
static uint32_t touched_count;

static void touch(vat_ref ref) {
	for (uint32_t i = 0; i < touched_count; i++)
		if (touched[i] == ref) return;
	if (touched_count < sizeof touched / sizeof *touched) touched[touched_count++] = ref;
}

// load_object reads an object. Of the kernel's there is a row once somebody holds it: it
// reports whether there is.
static bool load_object(vat_ref ref, object_row *o) {
	if (load(ref_key("o", ref), FIELDS(o))) return true;
	*o = (object_row){.owner = KERNEL, .kernel = 2};
	return false;
}

static void store_object(vat_ref ref, object_row *o) { store(ref_key("o", ref), FIELDS(o)); }

static void store_promise(vat_ref ref, promise_row *p) { store(ref_key("p", ref), FIELDS(p)); }

static bool load_promise(vat_ref ref, promise_row *p) {
	return load(ref_key("p", ref), FIELDS(p)) > 0;
}

static bool load_remote(uint64_t remote, remote_row *r) {
	return load(number_key("r", remote), FIELDS(r)) > 0;
}

static void store_remote(uint64_t remote, remote_row *r) {
	store(number_key("r", remote), FIELDS(r));
}

static vat_ref meaning_of(uint64_t remote, vat_ref name) {
	uint64_t ref;
	return load(name_key(remote, name), &ref, 1) ? ref : VAT_NONE;
}

static void give_name(uint64_t remote, vat_ref name, vat_ref ref) {
	store(name_key(remote, name), &ref, 1);
}
