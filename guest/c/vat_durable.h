// vat_durable.h: watchers, which outlive an upgrade: when a promise is settled, a
// handler of a name is called with what was saved for it, in whichever incarnation the
// vat is then. Include it instead of vat.h. ../README.md, section 10, has the contract.
//
//	static void paid(vat_settled *settled, vat_reader *saved) { ... }
//	static vat_handler handlers[] = {{.name = "paid", .call = paid}};
//
//	VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
//		...
//		if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
//		if (!vat_durable(&d, handlers, 1)) return 1;
//		...
//		vat_watch(promise, "paid", &saved);
#ifndef VAT_DURABLE_H
#define VAT_DURABLE_H

#ifdef VAT_H
#error "include vat_durable.h instead of vat.h"
#endif
#define VAT_WATCHES // vat_resolve tells of what the vat settles itself
#include "vat.h"

// VAT_WATCH_BYTES bounds all that is saved for the watchers of one promise.
#define VAT_WATCH_BYTES (VAT_REQUEST_BYTES - 64)

// VAT_HANDLER_BYTES bounds the name of a handler, in bytes.
#define VAT_HANDLER_BYTES 62

// VAT_INCARNATION is how many promises an incarnation can number.
#define VAT_INCARNATION 1000000000000

// vat_handler is what the program has for watchers of a name.
typedef struct {
	const char *name;
	void (*call)(vat_settled *settled, vat_reader *saved);
	uint64_t open; // watchers that wait; the kit's
} vat_handler;

// The table that vat_durable was given, and what the delivery settles, or NULL.
static vat_handler *vat_handlers;
static uint32_t vat_handler_count;
static const vat_delivery *vat_settling;

// vat_kit_key is a key of the kit's: 0xff, what it is of, and a name.
typedef struct {
	uint8_t bytes[2 + VAT_HANDLER_BYTES];
	uint32_t len;
} vat_kit_key;

static vat_kit_key vat_kit_key_of(uint8_t kind, vat_bytes name) {
	vat_kit_key key = {.bytes = {VAT_KIT, kind}, .len = 2 + name.len};
	if (name.len > VAT_HANDLER_BYTES) __builtin_trap();
	__builtin_memcpy(key.bytes + 2, name.at, name.len);
	return key;
}

static inline vat_bytes vat_view(const vat_kit_key *key) {
	return (vat_bytes){key->bytes, key->len};
}

static vat_kit_key vat_watch_key(vat_ref promise) {
	uint8_t text[vat_ref_bytes];
	return vat_kit_key_of('w', (vat_bytes){text, vat_format_ref(promise, text)});
}

// vat_get_number reads a row of one number; 0 if there is none.
static uint64_t vat_get_number(vat_bytes key) {
	uint8_t value[9];
	int32_t len = vat_get(key, value, sizeof value);
	if (len == VAT_ABSENT) return 0;
	vat_reader r = vat_reader_of((vat_bytes){value, (uint32_t)len});
	return vat_take_uint(&r);
}

// vat_set_number writes a row of one number; none for 0.
static void vat_set_number(vat_bytes key, uint64_t n) {
	VAT_WRITER(w, 9);
	vat_put_uint(&w, n);
	if (n) {
		vat_set(key, (vat_bytes){w.to, w.len});
	} else {
		vat_delete(key);
	}
}

static vat_handler *vat_handler_of(vat_bytes name) {
	for (uint32_t i = 0; i < vat_handler_count; i++)
		if (vat_is(name, vat_handlers[i].name)) return &vat_handlers[i];
	return NULL;
}

static void vat_count_open(vat_handler *h, uint64_t n) {
	h->open += n;
	vat_kit_key key = vat_kit_key_of('h', vat_text(h->name));
	vat_set_number(vat_view(&key), h->open);
}

// vat_begin begins an incarnation: its promises are numbered where none was before, and
// every handler that watchers wait for must be there.
static bool vat_begin(void) {
	vat_kit_key key = vat_kit_key_of('i', (vat_bytes){NULL, 0});
	uint64_t incarnation = vat_get_number(vat_view(&key)) + 1;
	vat_set_number(vat_view(&key), incarnation);
	vat_promises = incarnation * VAT_INCARNATION;
	key.bytes[1] = 'h';
	for (;;) {
		int32_t len = vat_vatstore(
			VAT_OP_NEXT, (vat_bytes[]){vat_view(&key)}, 1, key.bytes, sizeof key.bytes
		);
		if (len == VAT_ABSENT || key.bytes[1] != 'h') return true;
		key.len = (uint32_t)len < sizeof key.bytes ? (uint32_t)len : sizeof key.bytes;
		vat_handler *h = vat_handler_of((vat_bytes){key.bytes + 2, key.len - 2});
		if (!h) {
			vat_fail("watchers wait for a handler that is missing: ");
			vat_output_write(key.bytes + 2, key.len - 2);
			return false;
		}
		h->open = vat_get_number(vat_view(&key));
	}
}

// vat_call_watchers calls the watchers of a row.
static void vat_call_watchers(const vat_settled *s, vat_bytes row, bool stored) {
	for (vat_reader r = vat_reader_of(row); r.at != r.end;) {
		vat_take_list(&r, 3);
		vat_handler *h = vat_handler_of(vat_take_text(&r));
		vat_reader saved = vat_take_data(&r);
		if (r.bad || !h) __builtin_trap();
		if (stored) vat_count_open(h, (uint64_t)-1);
		vat_settled own = *s;
		h->call(&own, &saved);
	}
}

// vat_get_watchers reads a promise's row: its length, or VAT_ABSENT.
static int32_t vat_get_watchers(const vat_kit_key *key, uint8_t row[VAT_WATCH_BYTES]) {
	int32_t len = vat_get(vat_view(key), row, VAT_WATCH_BYTES);
	if (len > VAT_WATCH_BYTES) __builtin_trap();
	return len;
}

// vat_fire calls the watchers of all that is settled.
static void vat_fire(vat_delivery d) {
	vat_settled s;
	while (vat_next_settled(&d, &s)) {
		uint8_t row[VAT_WATCH_BYTES];
		vat_kit_key key = vat_watch_key(s.promise);
		int32_t len = vat_get_watchers(&key, row);
		if (len == VAT_ABSENT) continue;
		vat_delete(vat_view(&key));
		vat_call_watchers(&s, (vat_bytes){row, (uint32_t)len}, true);
	}
}

static void vat_resolved(vat_bytes request) {
	uint8_t own[VAT_REQUEST_BYTES];
	__builtin_memcpy(own, request.at, request.len);
	vat_delivery d = {.kind = VAT_NOTIFY, .notify = vat_reader_of((vat_bytes){own, request.len})};
	d.settlements = d.settled_left = vat_take_count(&d.notify);
	d.settled = d.notify;
	const vat_delivery *outer = vat_settling;
	vat_settling = &d;
	vat_fire(d);
	vat_settling = outer;
}

// vat_durable is to be called with every delivery, once it was received. A start it
// refuses, with false and the reason written, if watchers wait for a handler that the
// table lacks. In a notify it calls the watchers of what is settled, before the program
// takes anything from it. The table must stay where it is.
static inline bool vat_durable(const vat_delivery *d, vat_handler *handlers, uint32_t n) {
	vat_handlers = handlers;
	vat_handler_count = n;
	vat_settling = NULL;
	if (d->kind == VAT_START) return vat_begin();
	if (d->kind == VAT_NOTIFY) {
		vat_settling = d;
		vat_fire(*d);
	}
	return true;
}

// vat_watch has a handler of the table called when the promise is settled, or now if
// this very delivery settles it, with what is saved: data that may mention objects of
// others and VAT_ROOT, or NULL.
static inline void vat_watch(vat_ref promise, const char *handler, const vat_writer *saved) {
	uint8_t row[VAT_WATCH_BYTES];
	vat_writer w = {.to = row, .room = sizeof row};
	vat_handler *h = vat_handler_of(vat_text(handler));
	if (!h || !(promise & VAT_PROMISE)) __builtin_trap();
	for (uint32_t i = 0; saved && i < saved->slots; i++) {
		vat_ref ref = saved->slot[i];
		if (ref & VAT_PROMISE || (ref != VAT_ROOT && !(ref & VAT_IMPORTED))) __builtin_trap();
	}
	bool now = false;
	vat_settled s;
	if (vat_settling) {
		vat_delivery d = *vat_settling;
		d.settled = d.notify;
		d.settled_left = d.settlements;
		while (!now && vat_next_settled(&d, &s)) now = s.promise == promise;
		s.delivery = vat_settling;
	}
	vat_kit_key key = vat_watch_key(promise);
	int32_t len = now ? VAT_ABSENT : vat_get_watchers(&key, row);
	if (len != VAT_ABSENT) w.len = (uint32_t)len;
	vat_put_list(&w, 3);
	vat_put_text(&w, vat_text(handler));
	vat_put_data(&w, saved);
	if (now) {
		vat_call_watchers(&s, (vat_bytes){row, w.len}, false);
		return;
	}
	vat_set(vat_view(&key), (vat_bytes){row, w.len});
	vat_count_open(h, 1);
	if (len == VAT_ABSENT) vat_subscribe(promise);
}

#endif
