// vat.h: what a vat in C needs. Headers only, no library, no allocator.
//
// It speaks the ABI vat_v1 (../README.md is the specification): it reads a
// delivery and makes syscalls; vat_data.h has the values. For clang with
// --target=wasm32 -std=c11 -ffreestanding -nostdlib -mbulk-memory; ../build.sh has
// the whole command. Include it in one file of the program: its state is static.
//
// A vat in full:
//
//	#include "vat.h"
//	static uint64_t count;
//	VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
//		static uint8_t input[1024];
//		vat_delivery d;
//		if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
//		if (d.kind != VAT_MESSAGE) return 0;
//		if (!vat_is(d.method, "incr")) return vat_reject(d.result, "no such method");
//		vat_take_list(&d.args, 1);
//		uint64_t n = vat_take_uint(&d.args);
//		if (!vat_taken(&d.args)) return vat_reject(d.result, "want incr(n)");
//		return vat_answer_uint(d.result, count += n);
//	}
//
// Bodies are lists of values, as EXAMPLES.md has them; a vat may use another
// convention, through vat_put_raw and the reader's own bytes.
//
// Faults. What others send may be anything: a reader remembers the first thing
// that was not as asked, gives zeros from then on, and vat_taken says so in the
// end. What the vat itself puts together wrong (a request longer than its buffer,
// more slots than VAT_SLOTS) is the author's bug, and traps: the vat dies.
#ifndef VAT_H
#define VAT_H

#include <stddef.h>

#include "vat_data.h"

// VAT_REQUEST_BYTES bounds one request of a syscall. Define it before the include.
#ifndef VAT_REQUEST_BYTES
#define VAT_REQUEST_BYTES 1024
#endif

#define VAT_EXPORT(name) __attribute__((export_name(name)))
#define VAT_IMPORT(name) __attribute__((import_module("vat_v1"), import_name(name)))

// The imports, as they are.
VAT_IMPORT("input_read") uint32_t vat_input_read(void *to, uint32_t offset, uint32_t len);
VAT_IMPORT("syscall")
int32_t vat_syscall(uint32_t op, const void *request, uint32_t len, void *answer, uint32_t room);
VAT_IMPORT("result_read") uint32_t vat_result_read(void *to, uint32_t offset, uint32_t len);
VAT_IMPORT("output_write") void vat_output_write(const void *from, uint32_t len);
VAT_IMPORT("log") void vat_log_write(uint32_t level, const void *text, uint32_t len);

enum { // the kinds of delivery
	VAT_OVERLONG = 0, // longer than the buffer: of a message, only its result is known
	VAT_START = 1,
	VAT_MESSAGE = 2,
	VAT_NOTIFY = 3,
	VAT_DROP_EXPORTS = 4,
	VAT_RETIRE_EXPORTS = 5,
	VAT_RETIRE_IMPORTS = 6,
	VAT_REAP = 7,
};

enum { // the syscalls
	VAT_OP_SEND = 1,
	VAT_OP_SUBSCRIBE = 2,
	VAT_OP_RESOLVE = 3,
	VAT_OP_EXIT = 4,
	VAT_OP_CALL = 5,
	VAT_OP_DROP_IMPORTS = 6,
	VAT_OP_RETIRE_IMPORTS = 7,
	VAT_OP_RETIRE_EXPORTS = 8,
	VAT_OP_ABANDON_EXPORTS = 9,
	VAT_OP_GET = 16,
	VAT_OP_SET = 17,
	VAT_OP_DELETE = 18,
	VAT_OP_NEXT = 19,
};

enum { VAT_DEBUG = 0, VAT_INFO = 1, VAT_WARN = 2, VAT_ERROR = 3 }; // levels of the log

// ---- syscalls ----

static uint8_t vat_request_bytes[VAT_REQUEST_BYTES];

static inline vat_writer vat_request(void) {
	return (vat_writer){.to = vat_request_bytes, .room = VAT_REQUEST_BYTES};
}

// vat_queues makes a syscall that has something queued, and reports whether there was
// room for it. If not, it did nothing.
static inline bool vat_queues(uint32_t op, vat_writer w) {
	return vat_syscall(op, w.to, w.len, NULL, 0) == 0;
}

// vat_try_send queues a message, and reports whether there was room for it. Its result
// is a promise from vat_new_promise that was not used yet, or VAT_NONE.
static inline bool vat_try_send(
	vat_ref target, const char *method, const vat_writer *args, vat_ref result
) {
	vat_writer w = vat_request();
	vat_put_list(&w, 5);
	vat_put_name(&w, target);
	vat_put_text(&w, vat_text(method));
	vat_put_data(&w, args);
	if (result == VAT_NONE) {
		vat_put_byte(&w, vat_null);
	} else {
		vat_put_name(&w, result);
	}
	return vat_queues(VAT_OP_SEND, w);
}

// vat_send is vat_try_send that traps when there is no room.
static inline void vat_send(
	vat_ref target, const char *method, const vat_writer *args, vat_ref result
) {
	if (!vat_try_send(target, method, args, result)) __builtin_trap();
}

// vat_subscribe asks for a notify when the promise is settled. It traps when there is
// no room.
static inline void vat_subscribe(vat_ref promise) {
	vat_writer w = vat_request();
	vat_put_list(&w, 1);
	vat_put_name(&w, promise);
	if (!vat_queues(VAT_OP_SUBSCRIBE, w)) __builtin_trap();
}

// vat_ask sends a message and subscribes to its answer, whose promise it returns.
static inline vat_ref vat_ask(vat_ref target, const char *method, const vat_writer *args) {
	vat_ref result = vat_new_promise();
	vat_send(target, method, args, result);
	vat_subscribe(result);
	return result;
}

// vat_resolution settles one promise that the vat decides.
typedef struct {
	vat_ref promise;
	bool rejected;
	const vat_writer *data;
} vat_resolution;

#ifdef VAT_WATCHES // vat_durable.h: calls those who watch what a resolve settles
static void vat_resolved(vat_bytes request);
#endif

// vat_resolve settles promises at one stroke: their data may mention each other.
static inline void vat_resolve(const vat_resolution *rs, uint32_t n) {
	vat_writer w = vat_request();
	vat_put_list(&w, n);
	for (uint32_t i = 0; i < n; i++) {
		vat_put_list(&w, 4);
		vat_put_name(&w, rs[i].promise);
		vat_put_bool(&w, rs[i].rejected);
		vat_put_data(&w, rs[i].data);
	}
	vat_syscall(VAT_OP_RESOLVE, w.to, w.len, NULL, 0);
#ifdef VAT_WATCHES
	vat_resolved((vat_bytes){w.to, w.len});
#endif
}

// vat_call asks a device, and returns how many bytes its answer has; the answer,
// [failed, body, slots], is read with vat_result_read.
static inline int32_t vat_call(vat_ref device, const char *method, const vat_writer *args) {
	vat_writer w = vat_request();
	vat_put_list(&w, 4);
	vat_put_name(&w, device);
	vat_put_text(&w, vat_text(method));
	vat_put_data(&w, args);
	return vat_syscall(VAT_OP_CALL, w.to, w.len, NULL, 0);
}

// vat_about_refs says something of references: VAT_OP_DROP_IMPORTS and so on.
static inline void vat_about_refs(uint32_t op, const vat_ref *refs, uint32_t n) {
	vat_writer w = vat_request();
	vat_put_list(&w, n);
	for (uint32_t i = 0; i < n; i++) vat_put_name(&w, refs[i]);
	vat_syscall(op, w.to, w.len, NULL, 0);
}

// vat_exit ends the vat after this delivery, or, as a failure, instead of it.
static inline void vat_exit(bool failure, const vat_writer *info) {
	vat_writer w = vat_request();
	vat_put_list(&w, 3);
	vat_put_bool(&w, failure);
	vat_put_data(&w, info);
	vat_syscall(VAT_OP_EXIT, w.to, w.len, NULL, 0);
}

// VAT_ABSENT is what vat_get and vat_next return when there is nothing.
#define VAT_ABSENT (-1)

// vat_vatstore makes a vatstore syscall of one or two byte strings. What is found
// is put at to, cut to room; its whole length is returned.
static inline int32_t vat_vatstore(
	uint32_t op, const vat_bytes *fields, uint32_t n, void *to, uint32_t room
) {
	uint8_t head[9];
	vat_writer w = vat_request();
	vat_put_list(&w, n);
	for (uint32_t i = 0; i < n; i++) vat_put_bytes(&w, fields[i]);
	uint32_t len = (uint32_t)vat_syscall(op, w.to, w.len, head, sizeof head);
	if (!len || head[0] == vat_null) return VAT_ABSENT;
	vat_reader r = {.at = head, .end = head + sizeof head};
	uint32_t found = (uint32_t)vat_head(&r, vat_byte_string);
	vat_result_read(to, (uint32_t)(r.at - head), found < room ? found : room);
	return (int32_t)found;
}

// vat_get reads a value: its length, of which at most room bytes are at to.
static inline int32_t vat_get(vat_bytes key, void *to, uint32_t room) {
	return vat_vatstore(VAT_OP_GET, &key, 1, to, room);
}

static inline void vat_set(vat_bytes key, vat_bytes value) {
	vat_vatstore(VAT_OP_SET, (vat_bytes[]){key, value}, 2, NULL, 0);
}

static inline void vat_delete(vat_bytes key) { vat_vatstore(VAT_OP_DELETE, &key, 1, NULL, 0); }

// VAT_KIT begins the keys of the vatstore that are the kit's own: the last of all.
#define VAT_KIT 0xff

// vat_next finds the least key greater than prior, which may be empty. The kit's own
// it does not show.
static inline int32_t vat_next(vat_bytes prior, void *to, uint32_t room) {
	int32_t len = vat_vatstore(VAT_OP_NEXT, &prior, 1, to, room);
	return len > 0 && room && *(uint8_t *)to == VAT_KIT ? VAT_ABSENT : len;
}

static inline void vat_log(uint32_t level, const char *text) {
	vat_bytes b = vat_text(text);
	vat_log_write(level, b.at, b.len);
}

// vat_fail says why the vat failed. Return it from vat_deliver: the vat dies.
static inline int32_t vat_fail(const char *text) {
	vat_bytes b = vat_text(text);
	vat_output_write(b.at, b.len);
	return 1;
}

// ---- answers: each settles a message's result, if it has one, and returns 0 ----

static inline int32_t vat_settle(vat_ref result, bool rejected, const vat_writer *data) {
	if (result != VAT_NONE) vat_resolve(&(vat_resolution){result, rejected, data}, 1);
	return 0;
}

static inline int32_t vat_answer(vat_ref result, const vat_writer *data) {
	return vat_settle(result, false, data);
}

static inline int32_t vat_answer_uint(vat_ref result, uint64_t n) {
	VAT_WRITER(w, 16);
	vat_put_list(&w, 1);
	vat_put_uint(&w, n);
	return vat_answer(result, &w);
}

// vat_answer_ref answers with an object itself, so that messages sent to the
// promise reach it.
static inline int32_t vat_answer_ref(vat_ref result, vat_ref object) {
	vat_writer w = {.slots = 1, .slot = {object}};
	return vat_answer(result, &w);
}

static inline int32_t vat_reject(vat_ref result, const char *why) {
	VAT_WRITER(w, 256);
	vat_put_list(&w, 1);
	vat_put_text(&w, vat_text(why));
	return vat_settle(result, true, &w);
}

// ---- deliveries ----

// vat_delivery is one delivery, taken apart. Views lie in vat_receive's buffer.
typedef struct {
	uint32_t kind;
	uint64_t time;      // nanoseconds since 1970, of the block
	vat_ref target;     // of a message: which export
	vat_bytes method;   // of a message
	vat_reader args;    // of a message, or a start's parameters
	vat_ref result;     // of a message: the promise to settle, or VAT_NONE
	vat_reader notify;  // of a notify: all it settles, and what is still to be taken
	vat_reader settled; // by vat_next_settled
	uint32_t settlements, settled_left;
	vat_reader refs; // of drop exports, retire exports, retire imports: by vat_next_ref
	uint32_t refs_left;
} vat_delivery;

// vat_next_ref takes the next reference of a delivery about references; false when
// there is none.
static inline bool vat_next_ref(vat_delivery *d, vat_ref *ref) {
	if (!d->refs_left) return false;
	d->refs_left--;
	*ref = vat_take_name(&d->refs);
	return true;
}

// vat_settled is a promise the vat had subscribed to, or one that the data of such
// a promise mentions. Its reference is retired: it must not be used any more.
typedef struct {
	vat_ref promise;
	bool rejected;
	vat_reader data;
	const vat_delivery *delivery;
} vat_settled;

static inline vat_settled vat_take_settled(vat_reader *r) {
	vat_settled s = {0};
	vat_take_list(r, 4);
	s.promise = vat_take_name(r);
	s.rejected = vat_take_bool(r);
	s.data = vat_take_data(r);
	return s;
}

// vat_next_settled takes the next promise of a notify; false when there is none.
static inline bool vat_next_settled(vat_delivery *d, vat_settled *s) {
	if (!d->settled_left) return false;
	d->settled_left--;
	*s = vat_take_settled(&d->settled);
	s->delivery = d;
	return true;
}

// vat_retired reports whether the notify that s is of settles, and so retires, ref.
static inline bool vat_retired(const vat_settled *s, vat_ref ref) {
	vat_reader r = s->delivery->notify;
	for (uint32_t i = 0; i < s->delivery->settlements; i++)
		if (vat_take_settled(&r).promise == ref) return true;
	return false;
}

// vat_relay answers with what another promise was settled with, from which nothing
// was taken yet. It rejects what cannot be passed on: data longer than a request, and
// data that mentions a promise that is retired together with it.
static inline int32_t vat_relay(vat_ref result, vat_settled *s) {
	vat_bytes body = {s->data.at, (uint32_t)(s->data.end - s->data.at)};
	enum { rest = 64, slot = 1 + vat_ref_bytes }; // of a request, beside the body
	if (s->data.slots > VAT_SLOTS || body.len > VAT_REQUEST_BYTES - rest - VAT_SLOTS * slot)
		return vat_reject(result, "the answer is too long to pass on");
	vat_writer w = {.to = (uint8_t *)body.at, .len = body.len};
	while (s->data.slots) {
		vat_ref ref = vat_take_slot(&s->data);
		if (vat_retired(s, ref)) return vat_reject(result, "the answer mentions a settled promise");
		vat_put_slot(&w, ref);
	}
	return vat_settle(result, s->rejected, &w);
}

// vat_receive_overlong finds the result of a message too long to read, its last
// value, by walking over the values in the host's hands. What is said of too many
// references is passed over.
static inline bool vat_receive_overlong(vat_delivery *d, uint32_t len) {
	uint8_t window[1 + vat_ref_bytes];
	uint64_t at = 0, last = 0;
	vat_input_read(window, 0, sizeof window);
	if (window[2] >= VAT_DROP_EXPORTS && window[2] <= VAT_RETIRE_IMPORTS) return true;
	if (window[0] != (vat_array | 8) || window[2] != VAT_MESSAGE) return false;
	for (uint64_t items = 1; items; items--) {
		last = at;
		uint32_t n = vat_input_read(window, (uint32_t)at, sizeof window);
		vat_reader r = {.at = window, .end = window + n};
		uint8_t kind = window[0] & 0xe0;
		uint64_t v = vat_take_if(&r, vat_null) ? 0 : vat_head(&r, kind);
		if (r.bad || (kind != vat_uint && v > len)) return false;
		at += (uint64_t)(r.at - window);
		if (kind == vat_byte_string || kind == vat_text_string) at += v;
		if (kind == vat_array) items += v;
	}
	uint32_t n = vat_input_read(window, (uint32_t)last, sizeof window);
	vat_reader r = {.at = window, .end = window + n};
	d->result = vat_take_if(&r, vat_null) ? VAT_NONE : vat_take_name(&r);
	return vat_taken(&r);
}

// vat_receive reads and takes apart the delivery of len bytes; false if it is
// malformed, or is longer than the buffer and a start or a notify.
static inline bool vat_receive(vat_delivery *d, uint8_t *buffer, uint32_t room, uint32_t len) {
	*d = (vat_delivery){.kind = VAT_OVERLONG, .result = VAT_NONE};
	if (len > room) return vat_receive_overlong(d, len);
	vat_input_read(buffer, 0, len);
	vat_reader r = vat_reader_of((vat_bytes){buffer, len});
	uint32_t fields = vat_take_count(&r);
	if (vat_take_uint(&r) != 1) vat_spoil(&r); // the version
	d->kind = (uint32_t)vat_take_uint(&r);
	d->time = vat_take_uint(&r);
	if (d->kind == VAT_START && fields == 5) {
		d->args = vat_take_data(&r);
	} else if (d->kind == VAT_MESSAGE && fields == 8) {
		d->target = vat_take_name(&r);
		d->method = vat_take_text(&r);
		d->args = vat_take_data(&r);
		d->result = vat_take_if(&r, vat_null) ? VAT_NONE : vat_take_name(&r);
	} else if (d->kind == VAT_NOTIFY && fields == 4) {
		d->settlements = d->settled_left = vat_take_count(&r);
		d->notify = d->settled = r;
		for (uint32_t i = 0; i < d->settlements && !r.bad; i++) vat_take_settled(&r);
	} else if (d->kind >= VAT_DROP_EXPORTS && d->kind <= VAT_RETIRE_IMPORTS && fields == 4) {
		d->refs_left = vat_take_count(&r);
		d->refs = r;
		for (uint32_t i = 0; i < d->refs_left && !r.bad; i++) vat_take_name(&r);
	} else if (d->kind == VAT_REAP && fields == 3) {
	} else {
		vat_spoil(&r);
	}
	return vat_taken(&r);
}

#endif
