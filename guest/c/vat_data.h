// vat_data.h: the values that cross the boundary of a vat: bytes, references, and
// the canonical CBOR they are written in. It imports nothing. vat.h includes it.
#ifndef VAT_DATA_H
#define VAT_DATA_H

#include <stdbool.h>
#include <stdint.h>

// VAT_SLOTS bounds the references of one vat_writer. Define it before the include.
#ifndef VAT_SLOTS
#define VAT_SLOTS 8
#endif

// ---- bytes ----

// vat_bytes is a view of bytes: it owns nothing.
typedef struct {
	const uint8_t *at;
	uint32_t len;
} vat_bytes;

static inline vat_bytes vat_text(const char *text) {
	uint32_t n = 0;
	while (text[n]) n++;
	return (vat_bytes){(const uint8_t *)text, n};
}

static inline bool vat_equal(vat_bytes a, vat_bytes b) {
	if (a.len != b.len) return false;
	for (uint32_t i = 0; i < a.len; i++)
		if (a.at[i] != b.at[i]) return false;
	return true;
}

static inline bool vat_is(vat_bytes b, const char *text) { return vat_equal(b, vat_text(text)); }

// ---- references ----

// vat_ref is a reference in one word, so that two are the same if they are equal:
// bit 63 says promise, bit 62 import, bit 61 durable object, the rest is the number:
// of a durable object (o+d1/2) its kind in 16 bits and its instance in 43. Virtual
// objects (o+v1/2) and facets (o+d1/2:3) have no vat_ref: they read as malformed.
typedef uint64_t vat_ref;

#define VAT_PROMISE ((vat_ref)1 << 63)
#define VAT_IMPORTED ((vat_ref)1 << 62)
#define VAT_DURABLE ((vat_ref)1 << 61)
#define VAT_NUMBER (VAT_DURABLE - 1)
#define VAT_ROOT ((vat_ref)0)   // o+0: the object every vat exports from birth
#define VAT_NONE (~(vat_ref)0)  // no reference: a message without a result

enum { vat_instance_bits = 43, vat_kind_bits = 16 };

// vat_durable_ref is the instance of a kind that outlives upgrades: o+dKIND/INSTANCE.
static inline vat_ref vat_durable_ref(uint32_t kind, uint64_t instance) {
	return VAT_DURABLE | (vat_ref)kind << vat_instance_bits | instance;
}

static inline uint32_t vat_kind_of(vat_ref ref) {
	return (uint32_t)((ref & VAT_NUMBER) >> vat_instance_bits);
}

static inline uint64_t vat_instance_of(vat_ref ref) {
	return ref & (((uint64_t)1 << vat_instance_bits) - 1);
}

// The longest reference is "o+d65535/8796093022207".
enum { vat_ref_digits = 18, vat_ref_bytes = 22 };

// vat_parse_number reads digits without leading zeros; VAT_NONE if text is none.
static inline vat_ref vat_parse_number(vat_bytes text) {
	if (!text.len || text.len > vat_ref_digits) return VAT_NONE;
	if (text.at[0] == '0' && text.len > 1) return VAT_NONE;
	vat_ref n = 0;
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9') return VAT_NONE;
		n = n * 10 + (text.at[i] - '0');
	}
	return n;
}

// vat_parse_durable reads "1/2" of "o+d1/2"; VAT_NONE if text is none.
static inline vat_ref vat_parse_durable(vat_bytes text) {
	uint32_t at = 0;
	while (at < text.len && text.at[at] != '/') at++;
	if (at == text.len) return VAT_NONE;
	vat_ref kind = vat_parse_number((vat_bytes){text.at, at});
	vat_ref instance = vat_parse_number((vat_bytes){text.at + at + 1, text.len - at - 1});
	if (kind >> vat_kind_bits || instance >> vat_instance_bits) return VAT_NONE;
	return vat_durable_ref((uint32_t)kind, instance);
}

// vat_parse_ref reads "o+0", "o-50", "p+1", "p-60" or "o+d1/2"; VAT_NONE if text is none.
static inline vat_ref vat_parse_ref(vat_bytes text) {
	const uint8_t *s = text.at;
	if (text.len < 3 || text.len > vat_ref_bytes) return VAT_NONE;
	if ((s[0] != 'o' && s[0] != 'p') || (s[1] != '+' && s[1] != '-')) return VAT_NONE;
	if (s[0] == 'o' && s[1] == '+' && s[2] == 'd')
		return vat_parse_durable((vat_bytes){s + 3, text.len - 3});
	vat_ref n = vat_parse_number((vat_bytes){s + 2, text.len - 2});
	if (n == VAT_NONE || (n == 0 && s[1] == '-')) return VAT_NONE;
	return n | (s[0] == 'p' ? VAT_PROMISE : 0) | (s[1] == '-' ? VAT_IMPORTED : 0);
}

static inline uint32_t vat_format_number(uint64_t n, uint8_t *to) {
	uint8_t digits[vat_ref_digits];
	uint32_t count = 0, len = 0;
	do {
		if (count == vat_ref_digits) __builtin_trap(); // VAT_NONE has no text
		digits[count++] = '0' + n % 10;
		n /= 10;
	} while (n);
	while (count) to[len++] = digits[--count];
	return len;
}

// vat_format_ref writes a reference's text into a buffer of vat_ref_bytes.
static inline uint32_t vat_format_ref(vat_ref ref, uint8_t *to) {
	uint32_t len = 2;
	bool durable = (ref & (VAT_PROMISE | VAT_IMPORTED | VAT_DURABLE)) == VAT_DURABLE;
	to[0] = ref & VAT_PROMISE ? 'p' : 'o';
	to[1] = ref & VAT_IMPORTED ? '-' : '+';
	if (!durable) return len + vat_format_number(ref & ~(VAT_PROMISE | VAT_IMPORTED), to + len);
	to[len++] = 'd';
	len += vat_format_number(vat_kind_of(ref), to + len);
	to[len++] = '/';
	return len + vat_format_number(vat_instance_of(ref), to + len);
}

static uint64_t vat_objects, vat_promises; // the last numbers given out

// vat_new_object numbers a new export. It becomes one by being sent somewhere.
static inline vat_ref vat_new_object(void) { return ++vat_objects; }

// vat_new_promise numbers a new promise, which the vat decides until it makes it
// the result of a message. Numbers are not used again.
static inline vat_ref vat_new_promise(void) { return ++vat_promises | VAT_PROMISE; }

// ---- reading ----

enum { vat_uint = 0 << 5, vat_byte_string = 2 << 5, vat_text_string = 3 << 5, vat_array = 4 << 5 };
enum { vat_false = 0xf4, vat_true = 0xf5, vat_null = 0xf6 };

// vat_reader takes canonical values off bytes, and beside them, one after the
// other, the references that the values mention. Once bad it stays bad.
typedef struct {
	const uint8_t *at, *end; // what is still to be read
	const uint8_t *slot;     // the next reference, as a text string
	uint32_t slots;          // how many are left
	bool bad;
} vat_reader;

static inline vat_reader vat_reader_of(vat_bytes b) {
	return (vat_reader){.at = b.at, .end = b.at + b.len};
}

static inline uint64_t vat_spoil(vat_reader *r) {
	r->bad = true;
	r->at = r->end;
	return 0;
}

// vat_head takes a value's head of the given kind and returns its argument: a
// number, or a length. A longer head than need be is not canonical, so it is bad.
static inline uint64_t vat_head(vat_reader *r, uint8_t kind) {
	if (r->at == r->end || (*r->at & 0xe0) != kind) return vat_spoil(r);
	uint32_t low = *r->at++ & 0x1f;
	if (low < 24) return low;
	if (low > 27 || r->end - r->at < 1 << (low - 24)) return vat_spoil(r);
	uint64_t v = 0;
	for (uint32_t n = 1 << (low - 24); n; n--) v = v << 8 | *r->at++;
	static const uint64_t least[] = {24, 1 << 8, 1 << 16, (uint64_t)1 << 32};
	return v < least[low - 24] ? vat_spoil(r) : v;
}

static inline uint64_t vat_take_uint(vat_reader *r) { return vat_head(r, vat_uint); }

static inline vat_bytes vat_take_string(vat_reader *r, uint8_t kind) {
	uint64_t n = vat_head(r, kind);
	if (n > (uint64_t)(r->end - r->at)) n = vat_spoil(r);
	r->at += n;
	return (vat_bytes){r->at - n, (uint32_t)n};
}

static inline vat_bytes vat_take_bytes(vat_reader *r) {
	return vat_take_string(r, vat_byte_string);
}

// vat_take_text takes a text string. That it is UTF-8 is not checked.
static inline vat_bytes vat_take_text(vat_reader *r) { return vat_take_string(r, vat_text_string); }

// vat_take_count takes the head of an array and returns how many items follow,
// each of which takes at least one byte.
static inline uint32_t vat_take_count(vat_reader *r) {
	uint64_t n = vat_head(r, vat_array);
	return (uint32_t)(n > (uint64_t)(r->end - r->at) ? vat_spoil(r) : n);
}

// vat_take_list takes the head of an array that must have n items.
static inline void vat_take_list(vat_reader *r, uint32_t n) {
	if (vat_take_count(r) != n) vat_spoil(r);
}

// vat_empty reports whether there are no arguments: an empty list, or nothing. It
// takes nothing.
static inline bool vat_empty(const vat_reader *r) {
	bool nothing = r->at == r->end || (r->end - r->at == 1 && *r->at == vat_array);
	return !r->bad && nothing && !r->slots;
}

// vat_take_if takes one byte if it is next.
static inline bool vat_take_if(vat_reader *r, uint8_t byte) {
	if (r->at == r->end || *r->at != byte) return false;
	r->at++;
	return true;
}

static inline bool vat_take_bool(vat_reader *r) {
	if (vat_take_if(r, vat_true)) return true;
	if (!vat_take_if(r, vat_false)) vat_spoil(r);
	return false;
}

// vat_take_name takes a reference written as a text string.
static inline vat_ref vat_take_name(vat_reader *r) {
	vat_ref ref = vat_parse_ref(vat_take_text(r));
	if (ref == VAT_NONE) vat_spoil(r);
	return ref;
}

// vat_take_slot takes the next of the references beside the values.
static inline vat_ref vat_take_slot(vat_reader *r) {
	if (!r->slots) return vat_spoil(r), VAT_NONE;
	r->slots--;
	uint32_t n = *r->slot & 0x1f; // checked by vat_take_data; a name is short
	r->slot += 1 + n;
	return vat_parse_ref((vat_bytes){r->slot - n, n});
}

// vat_take_ref takes a reference mentioned among the values: a null, which stands
// for the next slot.
static inline vat_ref vat_take_ref(vat_reader *r) {
	if (!vat_take_if(r, vat_null)) return vat_spoil(r), VAT_NONE;
	return vat_take_slot(r);
}

// vat_taken reports whether everything was as asked for, and nothing is left.
static inline bool vat_taken(const vat_reader *r) {
	return !r->bad && r->at == r->end && !r->slots;
}

// vat_reference returns the reference that the data is (no body, one slot), or
// VAT_NONE. Only before anything was taken.
static inline vat_ref vat_reference(vat_reader *data) {
	if (data->bad || data->at != data->end || data->slots != 1) return VAT_NONE;
	return vat_take_slot(data);
}

// vat_take_data takes a body and its slots, and makes a reader of the two.
static inline vat_reader vat_take_data(vat_reader *r) {
	vat_reader data = vat_reader_of(vat_take_bytes(r));
	uint32_t slots = vat_take_count(r);
	data.slot = r->at;
	for (uint32_t i = 0; i < slots && !r->bad; i++) vat_take_name(r);
	if (!r->bad) data.slots = slots;
	return data;
}

// ---- writing ----

// vat_writer puts canonical values into a buffer, and beside them the references
// they mention. VAT_WRITER makes one. It traps when the buffer is full.
typedef struct {
	uint8_t *to;
	uint32_t len, room;
	uint32_t slots;
	vat_ref slot[VAT_SLOTS];
} vat_writer;

#define VAT_WRITER(name, bytes) \
	uint8_t name##_bytes[bytes]; \
	vat_writer name = {.to = name##_bytes, .room = sizeof name##_bytes}

static inline void vat_put_raw(vat_writer *w, vat_bytes b) {
	if (b.len > w->room - w->len) __builtin_trap();
	__builtin_memcpy(w->to + w->len, b.at, b.len);
	w->len += b.len;
}

static inline void vat_put_head(vat_writer *w, uint8_t kind, uint64_t v) {
	uint8_t head[9];
	uint32_t size = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
	head[0] = kind | (size ? 24 + __builtin_ctz(size) : (uint8_t)v);
	for (uint32_t i = size; i; i--, v >>= 8) head[i] = (uint8_t)v;
	vat_put_raw(w, (vat_bytes){head, 1 + size});
}

static inline void vat_put_byte(vat_writer *w, uint8_t byte) {
	vat_put_raw(w, (vat_bytes){&byte, 1});
}

// vat_put_list puts the head of a list of n values, which are to be put next.
static inline void vat_put_list(vat_writer *w, uint32_t n) { vat_put_head(w, vat_array, n); }
static inline void vat_put_uint(vat_writer *w, uint64_t v) { vat_put_head(w, vat_uint, v); }

static inline void vat_put_bool(vat_writer *w, bool v) {
	vat_put_byte(w, v ? vat_true : vat_false);
}

static inline void vat_put_bytes(vat_writer *w, vat_bytes b) {
	vat_put_head(w, vat_byte_string, b.len);
	vat_put_raw(w, b);
}

static inline void vat_put_text(vat_writer *w, vat_bytes text) {
	vat_put_head(w, vat_text_string, text.len);
	vat_put_raw(w, text);
}

static inline void vat_put_slot(vat_writer *w, vat_ref ref) {
	if (w->slots == VAT_SLOTS) __builtin_trap();
	w->slot[w->slots++] = ref;
}

// vat_put_ref mentions a reference among the values: a null, and the next slot.
static inline void vat_put_ref(vat_writer *w, vat_ref ref) {
	vat_put_byte(w, vat_null);
	vat_put_slot(w, ref);
}

static inline void vat_put_name(vat_writer *w, vat_ref ref) {
	uint8_t text[vat_ref_bytes];
	vat_put_text(w, (vat_bytes){text, vat_format_ref(ref, text)});
}

// vat_put_data puts a body and its slots; no data is the empty list.
static inline void vat_put_data(vat_writer *w, const vat_writer *data) {
	static const uint8_t nothing[] = {vat_array};
	if (!data) {
		vat_put_bytes(w, (vat_bytes){nothing, sizeof nothing});
		vat_put_list(w, 0);
		return;
	}
	vat_put_bytes(w, (vat_bytes){data->to, data->len});
	vat_put_list(w, data->slots);
	for (uint32_t i = 0; i < data->slots; i++) vat_put_name(w, data->slot[i]);
}

#endif
