// sampler: one message for each thing a vat can do. EXAMPLES.md has them.
#include "vat.h"

enum {
	CELLS_MAX = 16,     // objects made by make
	PROMISES_MAX = 16,  // promises made by promise and not settled
	WATCHES_MAX = 16,   // promises of others that are watched
	KEY_BYTES_MAX = 64, // of the vatstore
	VALUE_BYTES_MAX = 256,
};

static struct {
	vat_ref object;
	uint64_t value;
} cells[CELLS_MAX];
static uint32_t cell_count;

// promises wait for settle, the oldest first.
static vat_ref promises[PROMISES_MAX];
static uint32_t promise_count;

// watches are in the order in which they were asked for.
static struct {
	vat_ref promise, reply;
} watches[WATCHES_MAX];
static uint32_t watch_count;

static int32_t echo(vat_delivery *d) {
	vat_take_list(&d->args, 5);
	uint64_t n = vat_take_uint(&d->args);
	vat_bytes text = vat_take_text(&d->args), bytes = vat_take_bytes(&d->args);
	bool flag = vat_take_bool(&d->args);
	vat_ref ref = vat_take_ref(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want echo(n, text, bytes, flag, ref)");
	if (text.len + bytes.len > 512) return vat_reject(d->result, "too long");
	VAT_WRITER(w, 640);
	vat_put_list(&w, 5);
	vat_put_uint(&w, n);
	vat_put_text(&w, text);
	vat_put_bytes(&w, bytes);
	vat_put_bool(&w, flag);
	vat_put_ref(&w, ref);
	return vat_answer(d->result, &w);
}

// sum adds up a list of any length.
static int32_t sum(vat_delivery *d) {
	uint64_t total = 0;
	for (uint32_t n = vat_take_count(&d->args); n && !d->args.bad; n--)
		total += vat_take_uint(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want sum(n, ...)");
	return vat_answer_uint(d->result, total);
}

// plain answers with a body that is no list.
static int32_t plain(vat_delivery *d) {
	VAT_WRITER(w, 16);
	vat_put_raw(&w, vat_text("plain"));
	return vat_answer(d->result, &w);
}

static int32_t put(vat_delivery *d) {
	vat_take_list(&d->args, 2);
	vat_bytes key = vat_take_bytes(&d->args), value = vat_take_bytes(&d->args);
	if (!vat_taken(&d->args) || !key.len || key.len > KEY_BYTES_MAX || value.len > VALUE_BYTES_MAX)
		return vat_reject(d->result, "want put(key, value)");
	vat_set(key, value);
	return vat_answer(d->result, NULL);
}

// take_key takes a call's only argument; no length if it is none.
static vat_bytes take_key(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	vat_bytes key = vat_take_bytes(&d->args);
	return vat_taken(&d->args) ? key : (vat_bytes){NULL, 0};
}

static int32_t get(vat_delivery *d) {
	vat_bytes key = take_key(d);
	if (!key.len) return vat_reject(d->result, "want get(key)");
	uint8_t value[VALUE_BYTES_MAX];
	int32_t len = vat_get(key, value, sizeof value);
	VAT_WRITER(w, VALUE_BYTES_MAX + 16);
	vat_put_list(&w, len == VAT_ABSENT ? 0 : 1);
	if (len != VAT_ABSENT) vat_put_bytes(&w, (vat_bytes){value, (uint32_t)len});
	return vat_answer(d->result, &w);
}

static int32_t forget(vat_delivery *d) {
	vat_bytes key = take_key(d);
	if (!key.len) return vat_reject(d->result, "want forget(key)");
	vat_delete(key);
	return vat_answer(d->result, NULL);
}

// keys answers the first keys of the vatstore.
static int32_t keys(vat_delivery *d) {
	enum { keys_max = 8 };
	uint8_t key[KEY_BYTES_MAX];
	uint32_t n = 0;
	int32_t len = 0;
	VAT_WRITER(found, keys_max * (KEY_BYTES_MAX + 2));
	while (n < keys_max && (len = vat_next((vat_bytes){key, (uint32_t)len}, key, sizeof key)) > 0) {
		vat_put_bytes(&found, (vat_bytes){key, (uint32_t)len});
		n++;
	}
	VAT_WRITER(w, keys_max * (KEY_BYTES_MAX + 2) + 1);
	vat_put_list(&w, n);
	vat_put_raw(&w, (vat_bytes){found.to, found.len});
	return vat_answer(d->result, &w);
}

// make answers with a new object: a cell.
static int32_t make(vat_delivery *d) {
	if (cell_count == CELLS_MAX) return vat_reject(d->result, "too many cells");
	cells[cell_count].object = vat_new_object();
	return vat_answer_ref(d->result, cells[cell_count++].object);
}

// cell has the messages of a cell: write(n), and read().
static int32_t cell(vat_delivery *d, uint32_t i) {
	if (vat_is(d->method, "write")) {
		vat_take_list(&d->args, 1);
		uint64_t n = vat_take_uint(&d->args);
		if (!vat_taken(&d->args)) return vat_reject(d->result, "want write(n)");
		cells[i].value = n;
	} else if (!vat_is(d->method, "read")) {
		return vat_reject(d->result, "no such method");
	}
	return vat_answer_uint(d->result, cells[i].value);
}

// promise answers with a promise that settle settles.
static int32_t promise(vat_delivery *d) {
	if (promise_count == PROMISES_MAX) return vat_reject(d->result, "too many promises");
	promises[promise_count] = vat_new_promise();
	VAT_WRITER(w, 16);
	vat_put_list(&w, 1);
	vat_put_ref(&w, promises[promise_count++]);
	return vat_answer(d->result, &w);
}

static int32_t settle(vat_delivery *d) {
	vat_take_list(&d->args, 2);
	bool rejected = vat_take_bool(&d->args);
	vat_bytes text = vat_take_text(&d->args);
	if (!vat_taken(&d->args) || text.len > 64 || !promise_count)
		return vat_reject(d->result, "want settle(rejected, text), after promise()");
	VAT_WRITER(w, 80);
	vat_put_list(&w, 1);
	vat_put_text(&w, text);
	vat_settle(promises[0], rejected, &w);
	promise_count--;
	for (uint32_t i = 0; i < promise_count; i++) promises[i] = promises[i + 1];
	return vat_answer(d->result, NULL);
}

// pair answers with two promises that are fulfilled with each other, at one stroke.
static int32_t pair(vat_delivery *d) {
	vat_ref a = vat_new_promise(), b = vat_new_promise();
	VAT_WRITER(of_a, 16);
	VAT_WRITER(of_b, 16);
	VAT_WRITER(both, 16);
	vat_put_list(&of_a, 1);
	vat_put_ref(&of_a, b);
	vat_put_list(&of_b, 1);
	vat_put_ref(&of_b, a);
	vat_put_list(&both, 2);
	vat_put_ref(&both, a);
	vat_put_ref(&both, b);
	if (d->result == VAT_NONE) return 0;
	vat_resolution rs[] = {{d->result, false, &both}, {a, false, &of_a}, {b, false, &of_b}};
	vat_resolve(rs, 3);
	return 0;
}

// watch answers as a promise is settled.
static int32_t watch(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	vat_ref ref = vat_take_ref(&d->args);
	if (!vat_taken(&d->args) || !(ref & VAT_PROMISE))
		return vat_reject(d->result, "want watch(promise)");
	if (watch_count == WATCHES_MAX) return vat_reject(d->result, "too much under way");
	bool watched = false;
	for (uint32_t i = 0; i < watch_count; i++) watched |= watches[i].promise == ref;
	if (!watched) vat_subscribe(ref);
	watches[watch_count].promise = ref;
	watches[watch_count++].reply = d->result;
	return 0;
}

static void watched(vat_settled *s) {
	uint32_t kept = 0;
	for (uint32_t i = 0; i < watch_count; i++) {
		if (watches[i].promise == s->promise) {
			vat_settled again = *s;
			vat_relay(watches[i].reply, &again);
		} else {
			watches[kept++] = watches[i];
		}
	}
	watch_count = kept;
}

static int32_t now(vat_delivery *d) { return vat_answer_uint(d->result, d->time); }

static int32_t say(vat_delivery *d) {
	vat_take_list(&d->args, 2);
	uint32_t level = (uint32_t)vat_take_uint(&d->args);
	vat_bytes text = vat_take_text(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want log(level, text)");
	vat_log_write(level, text.at, text.len);
	return vat_answer(d->result, NULL);
}

static int32_t fail(vat_delivery *d) {
	(void)d;
	return vat_fail("asked to");
}

static int32_t leave(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	bool failure = vat_take_bool(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want exit(failure)");
	VAT_WRITER(w, 16);
	vat_put_list(&w, 1);
	vat_put_text(&w, vat_text("asked to"));
	vat_exit(failure, &w);
	return vat_answer(d->result, NULL);
}

static const struct {
	const char *name;
	int32_t (*does)(vat_delivery *);
} methods[] = {
	{"echo", echo},     {"put", put},       {"get", get},   {"forget", forget},
	{"keys", keys},     {"make", make},     {"pair", pair}, {"promise", promise},
	{"settle", settle}, {"watch", watch},   {"now", now},   {"log", say},
	{"fail", fail},     {"exit", leave},    {"sum", sum},   {"plain", plain},
};

static int32_t receive(vat_delivery *d) {
	for (uint32_t i = 0; i < cell_count; i++)
		if (cells[i].object == d->target) return cell(d, i);
	for (uint32_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (vat_is(d->method, methods[i].name)) return methods[i].does(d);
	return vat_reject(d->result, "no such method");
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[2048];
	vat_delivery d;
	vat_settled s;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind == VAT_MESSAGE) return receive(&d);
	while (vat_next_settled(&d, &s)) watched(&s);
	return 0;
}
