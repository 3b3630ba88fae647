// locker: keeps objects of others for a time, and lets go of them. EXAMPLES.md has its
// messages, and what it does when others let go.
#include "vat.h"

enum { ENTRIES_MAX = 8 };

// entries are objects that are kept, or that were and are still recognized, in the
// order in which they came.
static struct {
	vat_ref object; // VAT_NONE once it is forgotten
	vat_ref ticket; // VAT_NONE once nobody holds it
	uint64_t until, timer;
	bool kept; // the object is not dropped
} entries[ENTRIES_MAX];
static uint32_t count;

static vat_ref timer, clock = VAT_NONE; // the device; what it wakes, or none
static uint64_t expired, returned;

// call_timer calls the timer, and returns the number it answers; false if it refuses.
static bool call_timer(const char *method, const vat_writer *args, uint64_t *number) {
	uint8_t answer[64];
	int32_t len = vat_call(timer, method, args);
	if (len > (int32_t)sizeof answer) return false;
	vat_reader r = vat_reader_of((vat_bytes){answer, vat_result_read(answer, 0, sizeof answer)});
	vat_take_list(&r, 3);
	bool failed = vat_take_bool(&r);
	vat_reader data = vat_take_data(&r);
	vat_take_list(&data, 1);
	*number = vat_take_uint(&data);
	return !failed && vat_taken(&data);
}

static void drop(uint32_t i) {
	vat_about_refs(VAT_OP_DROP_IMPORTS, &entries[i].object, 1);
	entries[i].kept = false;
}

static void retire(uint32_t i) {
	vat_about_refs(VAT_OP_RETIRE_IMPORTS, &entries[i].object, 1);
	entries[i].object = VAT_NONE;
}

// tidy removes the entries of which nothing is left.
static void tidy(void) {
	uint32_t left = 0;
	for (uint32_t i = 0; i < count; i++)
		if (entries[i].object != VAT_NONE || entries[i].ticket != VAT_NONE)
			entries[left++] = entries[i];
	count = left;
}

static uint32_t entry_of(vat_ref object) {
	uint32_t i = 0;
	while (i < count && entries[i].object != object) i++;
	return i;
}

// keep answers with a ticket. An object that is still recognized has its old entry.
static int32_t keep(vat_delivery *d) {
	vat_take_list(&d->args, 2);
	vat_ref object = vat_take_ref(&d->args);
	uint64_t duration = vat_take_uint(&d->args);
	bool of_others = (object & (VAT_PROMISE | VAT_IMPORTED)) == VAT_IMPORTED;
	if (!vat_taken(&d->args) || !of_others || object == timer || duration > (uint64_t)1 << 62)
		return vat_reject(d->result, "want keep(object, duration)");
	uint32_t i = entry_of(object);
	if (i < count && (entries[i].kept || entries[i].ticket != VAT_NONE))
		return vat_reject(d->result, "it has an entry");
	if (i == ENTRIES_MAX) return vat_reject(d->result, "the locker is full");
	if (clock == VAT_NONE) clock = vat_new_object();
	VAT_WRITER(args, 16);
	vat_put_list(&args, 2);
	vat_put_uint(&args, duration);
	vat_put_ref(&args, clock);
	uint64_t id = 0;
	if (!call_timer("delay", &args, &id)) return vat_fail("the timer refuses");
	if (i == count) count++;
	entries[i].object = object;
	entries[i].ticket = d->result == VAT_NONE ? VAT_NONE : vat_new_object();
	entries[i].until = d->time + duration;
	entries[i].timer = id;
	entries[i].kept = true;
	return vat_answer_ref(d->result, entries[i].ticket); // if anybody wants one
}

// show answers with the object of a ticket.
static int32_t show(vat_delivery *d, uint32_t i) {
	if (!vat_is(d->method, "show")) return vat_reject(d->result, "no such method");
	if (!entries[i].kept) return vat_reject(d->result, "expired");
	return vat_answer_ref(d->result, entries[i].object);
}

// wake drops what has expired. It may come back: it is still recognized.
static void wake(uint64_t now) {
	for (uint32_t i = 0; i < count; i++) {
		if (!entries[i].kept || entries[i].until > now) continue;
		expired++;
		drop(i);
	}
}

// dropped is told that nobody holds an export any more. A ticket is void then: so is the
// timer, and what was kept for it.
static void dropped(vat_ref ref) {
	for (uint32_t i = 0; i < count; i++) {
		if (entries[i].ticket != ref) continue;
		entries[i].ticket = VAT_NONE;
		vat_about_refs(VAT_OP_RETIRE_EXPORTS, &ref, 1);
		if (!entries[i].kept) continue;
		returned++;
		VAT_WRITER(args, 16);
		vat_put_list(&args, 1);
		vat_put_uint(&args, entries[i].timer);
		vat_call(timer, "cancel", &args);
		drop(i);
		retire(i);
	}
	tidy();
}

// gone is told that a name means nothing any more: of the clock, when the timer has let
// go of it, or of an object which was dropped, and still recognized.
static void gone(vat_ref ref) {
	if (ref == clock) clock = VAT_NONE;
	uint32_t i = entry_of(ref);
	if (i < count) entries[i].object = VAT_NONE;
	tidy();
}

// reap forgets what was dropped.
static void reap(void) {
	for (uint32_t i = 0; i < count; i++)
		if (entries[i].object != VAT_NONE && !entries[i].kept) retire(i);
	tidy();
}

// among reports whether a reference is one of the first n that came with a message.
static bool among(vat_reader given, uint32_t n, vat_ref ref) {
	while (n--)
		if (vat_take_slot(&given) == ref) return true;
	return false;
}

// let_go drops what came with a message and is not kept: strangers, whatever the
// message was, and what was dropped before and came again.
static void let_go(vat_reader given) {
	vat_reader rest = given;
	for (uint32_t n = 0; rest.slots; n++) {
		vat_ref ref = vat_take_slot(&rest);
		bool of_others = (ref & (VAT_PROMISE | VAT_IMPORTED)) == VAT_IMPORTED;
		if (!of_others || ref == timer || among(given, n, ref)) continue;
		uint32_t i = entry_of(ref);
		if (i < count && entries[i].kept) continue;
		vat_about_refs(VAT_OP_DROP_IMPORTS, &ref, 1);
		if (i == count) vat_about_refs(VAT_OP_RETIRE_IMPORTS, &ref, 1);
	}
}

static int32_t start(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	timer = vat_take_ref(&d->args);
	return vat_taken(&d->args) ? 0 : vat_fail("want a timer");
}

// read answers how many entries there are, and what has become of others.
static int32_t read(vat_delivery *d) {
	if (!vat_empty(&d->args)) return vat_reject(d->result, "want read()");
	VAT_WRITER(w, 32);
	vat_put_list(&w, 3);
	vat_put_uint(&w, count);
	vat_put_uint(&w, expired);
	vat_put_uint(&w, returned);
	return vat_answer(d->result, &w);
}

static int32_t receive(vat_delivery *d) {
	for (uint32_t i = 0; i < count; i++)
		if (entries[i].ticket == d->target) return show(d, i);
	if (d->target == clock) {
		wake(d->time);
		return vat_answer(d->result, NULL);
	}
	if (d->target != VAT_ROOT) return vat_reject(d->result, "no such object");
	if (vat_is(d->method, "keep")) return keep(d);
	if (vat_is(d->method, "read")) return read(d);
	return vat_reject(d->result, "no such method");
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[1024];
	vat_delivery d;
	vat_ref ref;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind == VAT_START) return start(&d);
	if (d.kind == VAT_MESSAGE) {
		vat_reader given = d.args;
		int32_t code = receive(&d);
		let_go(given);
		return code;
	}
	if (d.kind == VAT_REAP) reap();
	while (vat_next_ref(&d, &ref)) {
		if (d.kind == VAT_DROP_EXPORTS) {
			dropped(ref);
		} else { // VAT_RETIRE_EXPORTS, VAT_RETIRE_IMPORTS
			gone(ref);
		}
	}
	return 0;
}
