#!/bin/sh
# Compiles the library for aarch64 with every warning an error, demands that the
# kernels' loops become vector code there, and runs the kernels' test in an
# emulator.
#   sh tests/aarch64.sh FOLDER
set -eu
cd "$(dirname "$0")/.."
folder=$1
compiler=aarch64-linux-gnu-gcc
flags='-std=c11 -D_GNU_SOURCE -DCONNBITS_VERSION="" -Wall -Wextra -Wshadow -Wconversion -Werror -Iindexer -Itests/support'

mkdir -p "$folder"
for source in indexer/*/*.c indexer/*.c; do
	$compiler $flags -O2 -fopenmp -idirafter /usr/include -c "$source" \
		-o "$folder/$(basename "$source" .c).o"
done
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
