// clerk: writes down how promises were settled, across upgrades. EXAMPLES.md has its
// messages.
#define VAT_REQUEST_BYTES 2048
#include "vat_durable.h"

enum {
	ENTRIES_MAX = 16, // kept in the vatstore
	LABEL_MAX = 32,   // bytes
	ENTRY_MAX = 64,   // bytes
	PROMISES_MAX = 8, // made by promise and not settled
};

static uint32_t entries;

// promises wait for settle, the oldest first.
static vat_ref promises[PROMISES_MAX];
static uint32_t promise_count;

// note writes down which handler was called, for which label, and how it went.
static void note(const char *handler, vat_bytes label, bool rejected) {
	if (entries == ENTRIES_MAX) return;
	uint8_t key = (uint8_t)++entries;
	VAT_WRITER(w, ENTRY_MAX);
	vat_put_raw(&w, vat_text(handler));
	vat_put_raw(&w, vat_text(" "));
	vat_put_raw(&w, label);
	vat_put_raw(&w, vat_text(rejected ? " rejected" : " fulfilled"));
	vat_set((vat_bytes){&key, 1}, (vat_bytes){w.to, w.len});
}

static void noted(vat_settled *settled, vat_reader *saved) {
	vat_take_list(saved, 1);
	note("noted", vat_take_text(saved), settled->rejected);
}

// told tells the object that was saved, too: of the number, or of 1000 if it is none.
static void told(vat_settled *settled, vat_reader *saved) {
	vat_take_list(saved, 2);
	note("told", vat_take_text(saved), settled->rejected);
	vat_take_list(&settled->data, 1);
	uint64_t n = vat_take_uint(&settled->data);
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_uint(&args, vat_taken(&settled->data) ? n : 1000);
	vat_send(vat_take_ref(saved), "incr", &args, VAT_NONE);
}

static void watch_labelled(vat_ref promise, const char *handler, vat_bytes label);

// followed watches the promise in the data as well.
static void followed(vat_settled *settled, vat_reader *saved) {
	vat_take_list(saved, 1);
	vat_bytes label = vat_take_text(saved);
	note("followed", label, settled->rejected);
	vat_take_list(&settled->data, 1);
	vat_ref next = vat_take_ref(&settled->data);
	if (vat_taken(&settled->data) && next & VAT_PROMISE) watch_labelled(next, "noted", label);
}

static vat_handler handlers[] = {
	{.name = "followed", .call = followed},
	{.name = "noted", .call = noted},
	{.name = "told", .call = told},
};

static void watch_labelled(vat_ref promise, const char *handler, vat_bytes label) {
	VAT_WRITER(saved, LABEL_MAX + 8);
	vat_put_list(&saved, 1);
	vat_put_text(&saved, label);
	vat_watch(promise, handler, &saved);
}

// watch_as has one of the handlers called that save nothing but a label.
static int32_t watch_as(vat_delivery *d, const char *handler) {
	vat_take_list(&d->args, 2);
	vat_ref ref = vat_take_ref(&d->args);
	vat_bytes label = vat_take_text(&d->args);
	if (!vat_taken(&d->args) || !(ref & VAT_PROMISE) || label.len > LABEL_MAX)
		return vat_reject(d->result, "want a promise and a label");
	watch_labelled(ref, handler, label);
	return vat_answer(d->result, NULL);
}

static int32_t watch(vat_delivery *d) { return watch_as(d, "noted"); }

static int32_t follow(vat_delivery *d) { return watch_as(d, "followed"); }

// tell has an object of another vat told, too.
static int32_t tell(vat_delivery *d) {
	vat_take_list(&d->args, 3);
	vat_ref ref = vat_take_ref(&d->args);
	vat_bytes label = vat_take_text(&d->args);
	vat_ref object = vat_take_ref(&d->args);
	if (!vat_taken(&d->args) || !(ref & VAT_PROMISE) || label.len > LABEL_MAX ||
	    object & VAT_PROMISE || !(object & VAT_IMPORTED))
		return vat_reject(d->result, "want tell(promise, label, object)");
	VAT_WRITER(saved, LABEL_MAX + 8);
	vat_put_list(&saved, 2);
	vat_put_text(&saved, label);
	vat_put_ref(&saved, object);
	vat_watch(ref, "told", &saved);
	return vat_answer(d->result, NULL);
}

// ask asks another vat, and writes down what it answers.
static int32_t ask(vat_delivery *d) {
	vat_take_list(&d->args, 2);
	vat_ref object = vat_take_ref(&d->args);
	vat_bytes label = vat_take_text(&d->args);
	if (!vat_taken(&d->args) || label.len > LABEL_MAX)
		return vat_reject(d->result, "want ask(object, label)");
	vat_ref answer = vat_new_promise();
	vat_send(object, "read", NULL, answer);
	watch_labelled(answer, "noted", label);
	return vat_answer(d->result, NULL);
}

// promise answers with a promise of its own, which it watches itself.
static int32_t promise(vat_delivery *d) {
	if (promise_count == PROMISES_MAX) return vat_reject(d->result, "too many promises");
	vat_ref ref = promises[promise_count++] = vat_new_promise();
	watch_labelled(ref, "noted", vat_text("own"));
	VAT_WRITER(w, 8);
	vat_put_list(&w, 1);
	vat_put_ref(&w, ref);
	return vat_answer(d->result, &w);
}

static int32_t settle(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	uint64_t n = vat_take_uint(&d->args);
	if (!vat_taken(&d->args) || !promise_count)
		return vat_reject(d->result, "want settle(n), after promise()");
	vat_ref oldest = promises[0];
	promise_count--;
	for (uint32_t i = 0; i < promise_count; i++) promises[i] = promises[i + 1];
	vat_answer_uint(oldest, n);
	return vat_answer(d->result, NULL);
}

// next_entry finds the next key of the vatstore; false when there is none.
static bool next_entry(uint8_t *key, uint32_t *len) {
	*len = vat_next((vat_bytes){key, *len}, key, 1) == 1;
	return *len == 1;
}

// read answers what is written down.
static int32_t read(vat_delivery *d) {
	if (!vat_empty(&d->args)) return vat_reject(d->result, "want read()");
	VAT_WRITER(w, ENTRIES_MAX * (ENTRY_MAX + 2) + 1);
	vat_put_list(&w, entries);
	uint8_t key = 0, entry[ENTRY_MAX];
	for (uint32_t len = 0; next_entry(&key, &len);) {
		int32_t found = vat_get((vat_bytes){&key, 1}, entry, sizeof entry);
		vat_put_text(&w, (vat_bytes){entry, (uint32_t)found});
	}
	return vat_answer(d->result, &w);
}

static const struct {
	const char *name;
	int32_t (*does)(vat_delivery *);
} methods[] = {
	{"watch", watch}, {"follow", follow},   {"tell", tell},     {"ask", ask},
	{"read", read},   {"promise", promise}, {"settle", settle},
};

// start finds what earlier incarnations have written down.
static int32_t start(void) {
	uint8_t key = 0;
	for (uint32_t len = 0; next_entry(&key, &len);) entries++;
	return 0;
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[1024];
	vat_delivery d;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (!vat_durable(&d, handlers, sizeof handlers / sizeof handlers[0])) return 1;
	if (d.kind == VAT_START) return start();
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind != VAT_MESSAGE) return 0;
	for (uint32_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (vat_is(d.method, methods[i].name)) return methods[i].does(&d);
	return vat_reject(d.result, "no such method");
}
