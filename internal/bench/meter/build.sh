#!/bin/sh
# build.sh makes the programs that `swingsim bench meter` runs, each a .wasm.gz beside its
# source. It wants, of Debian 12: clang-14, lld-14, wasi-libc, libclang-rt-14-dev-wasm32,
# rustc, libstd-rust-dev-wasm32; Go; and npm, for the sources of QuickJS 2021-03-27.
set -eu
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clang-14 --target=wasm32 -std=c11 -O2 -nostdlib -ffreestanding -fno-builtin -mbulk-memory -Wall -Wextra \
	-Werror -Wl,--no-entry -Wl,--strip-all -o "$work/kernels.wasm" kernels.c

/usr/bin/rustc --edition 2021 --crate-type cdylib -C opt-level=3 -C panic=abort -C lto=fat \
	-C strip=symbols --target wasm32-unknown-unknown -C linker=wasm-ld-14 -o "$work/rust.wasm" kernels.rs

(cd gokernels && GOOS=wasip1 GOARCH=wasm GOWORK=off go build -trimpath -buildvcs=false \
	-ldflags='-s -w' -buildmode=c-shared -o "$work/go.wasm" .)

source=package/deps/quickjs_2021_03_27
(cd "$work" && npm pack --silent qjsc@0.3.0 && tar xzf qjsc-0.3.0.tgz "$source")
xxd -i script.js >"$work/script.h"
(cd "$work/$source" && clang-14 --target=wasm32-wasi -O2 -DEMSCRIPTEN -D_GNU_SOURCE \
	-DCONFIG_VERSION='"2021-03-27"' -DCONFIG_BIGNUM -DFE_DOWNWARD=0x400 -DFE_UPWARD=0x800 \
	-I. -I"$work" -w -mexec-model=reactor -Wl,--stack-first -Wl,-z,stack-size=1048576 \
	-Wl,--strip-all -o "$work/quickjs.wasm" "$here/quickjs.c" quickjs.c libregexp.c \
	libunicode.c cutils.c libbf.c -lm)

for name in kernels rust go quickjs; do
	gzip -9nc "$work/$name.wasm" >"$name.wasm.gz"
done
