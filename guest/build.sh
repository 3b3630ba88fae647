#!/bin/sh
# build.sh makes what is committed beside its sources: c/*.wasm, go.tar.gz (the Go
# kit, for guest.BuildGo) and manifest.json, which says how. test/guest checks that
# they fit the sources. It wants clang-14 and lld-14 as Debian 12 packages them:
# the same tools give the same bytes.
set -eu
cd "$(dirname "$0")"

compile="clang-14 --target=wasm32 -std=c11 -Oz -nostdlib -ffreestanding -mbulk-memory\
 -Wall -Wextra -Wpedantic -Werror -Wl,--no-entry -Wl,--strip-all -Wl,--stack-first\
 -Wl,-z,stack-size=8192"

sum() { sha256sum "$1" | cut -d ' ' -f 1; }
first_line() { "$1" --version | head -n 1; }

rm -f c/*.wasm
for source in c/*.c; do
	$compile -o "${source%.c}.wasm" "$source"
done

chmod 644 c/*.wasm

# No owner, time or mode of this machine gets into the archive.
find go -type f \( -name '*.go' -o -name go.mod \) | LC_ALL=C sort |
	tar --create --format=ustar --owner=0 --group=0 --numeric-owner --mode=0644 \
		--mtime=@0 --no-recursion --files-from=- |
	gzip -9n >go.tar.gz

{
	printf '{\n'
	printf '  "clang": "%s",\n' "$(first_line clang-14)"
	printf '  "lld": "%s",\n' "$(first_line wasm-ld-14)"
	printf '  "command": "%s -o c/NAME.wasm c/NAME.c",\n' "$compile"
	printf '  "programs": {'
	separator=''
	for file in c/*.wasm; do
		name=$(basename "$file" .wasm)
		printf '%s\n    "%s": "%s"' "$separator" "$name" "$(sum "$file")"
		separator=','
	done
	printf '\n  },\n'
	printf '  "go.tar.gz": "%s"\n}\n' "$(sum go.tar.gz)"
} >manifest.json
