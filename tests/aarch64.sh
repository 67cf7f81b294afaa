#!/bin/sh
# Demands that the kernels' loops become vector code for aarch64, and runs their test in an emulator. Whole programs:
# package/machines.sh.
#   sh tests/aarch64.sh FOLDER
set -eu
cd "$(dirname "$0")/.."
folder=$1
compiler=aarch64-linux-gnu-gcc
flags='-std=c11 -D_GNU_SOURCE -DCONNBITS_VERSION="" -Wall -Wextra -Wshadow -Wconversion -Werror -Iindexer -Itests/support'

mkdir -p "$folder"
$compiler $flags -O3 -fopt-info-vec -c indexer/bitmap/kernel.c -o "$folder/kernel.o" 2>"$folder/kernel.log"
loops=$(grep -c 'loop vectorized' "$folder/kernel.log" || true)
if [ "$loops" -lt 4 ]; then
	cat "$folder/kernel.log"
	echo "only $loops loops of indexer/bitmap/kernel.c were vectorised for aarch64"
	exit 1
fi
$compiler $flags -Itests/support/bare -O3 -static tests/bitmap/test_kernel.c indexer/bitmap/kernel.c -o "$folder/test_kernel"
qemu-aarch64 "$folder/test_kernel"
echo "aarch64: $loops loops vectorised"
