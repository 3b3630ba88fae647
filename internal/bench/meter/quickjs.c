// QuickJS as a vat, for `swingsim bench meter`: it evaluates script.js, which is linked
// in, and calls round() as often as the last 4 bytes of a delivery's body say. The sum of what it
// returns goes out as a syscall.
#include <stdint.h>
#include "quickjs.h"
#include "script.h"

#define IMPORT(name) __attribute__((import_module("vat_v1"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))
IMPORT("input_read") uint32_t input_read(void *to, uint32_t at, uint32_t n);
IMPORT("syscall") int32_t syscall_(uint32_t op, const void *request, uint32_t n, void *answer, uint32_t room);

static JSContext *context;

static void boot(void) {
	context = JS_NewContext(JS_NewRuntime());
	JSValue v = JS_Eval(context, (const char *)script_js, script_js_len, "script.js", JS_EVAL_TYPE_GLOBAL);
	if (JS_IsException(v)) __builtin_trap();
}

EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	uint32_t rounds;
	uint64_t sum = 0;
	input_read(&rounds, len - 5, 4);
	if (!context) boot();
	JSValue global = JS_GetGlobalObject(context);
	JSValue round = JS_GetPropertyStr(context, global, "round");
	for (uint32_t i = 0; i < rounds; i++) {
		int64_t n;
		JSValue v = JS_Call(context, round, global, 0, 0);
		if (JS_IsException(v) || JS_ToInt64(context, &n, v)) __builtin_trap();
		sum = sum * 31 + n;
	}
	JS_FreeValue(context, round);
	JS_FreeValue(context, global);
	syscall_(1, &sum, sizeof sum, 0, 0);
	return 0;
}
