#!/usr/bin/env bash
# Copies this host's Rust toolchain to the folder $1: what compiling for this host needs (cargo, rustc, their
# libraries, the standard library and rustc's own linker), without documentation and tools.
set -euo pipefail

out=$1
sysroot=$(rustc --print sysroot)
triple=$(rustc -vV | sed -n 's/^host: //p')

mkdir -p "$out/bin" "$out/lib/rustlib"
cp -L "$sysroot/bin/cargo" "$sysroot/bin/rustc" "$out/bin/"
find "$sysroot/lib" -maxdepth 1 -name '*.so*' -exec cp -L {} "$out/lib/" \;
cp -rL "$sysroot/lib/rustlib/$triple" "$out/lib/rustlib/$triple"
