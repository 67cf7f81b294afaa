#!/bin/sh
# Makes of the static libpcap an object with its compiler alone, which takes its memory and its
# words through libpcap_heap.h, and hides every name but those that libpcap_copy.h declares.
# usage: libpcap_copy.sh ARCHIVE OBJECT CC AR LD NM OBJCOPY [TARGET], the compiler's name of another machine
set -eu
archive=$1 object=$2 cc=$3 ar=$4 ld=$5 nm=$6 objcopy=$7 target=${8:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/parts"
(cd "$folder/parts" && "$ar" x "$archive")
cd "$folder"

# From an expression to a program, and running one. What captures from a device stays out.
compiler=""
for part in gencode optimize grammar scanner nametoaddr etherent fmtutils pcap pcap-common pcap-util \
	bpf_filter strlcat strlcpy; do
	[ ! -f "parts/$part.o" ] || compiler="$compiler parts/$part.o"
done
# The parser asks for a word through a function of ours, which is where a long list is ended.
"$objcopy" --redefine-sym pcap_lex=libpcap_heap_word parts/grammar.o
# shellcheck disable=SC2086
"$ld" -r -o joined.o $compiler

# Parts that stay out are called by nothing that is called.
"$nm" -u joined.o | awk '{ print $NF }' | sort -u >missing
"$nm" --defined-only parts/*.o | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort -u >defined
{
	echo '_Noreturn void libpcap_heap_absent(void);'
	comm -12 missing defined | sed 's/.*/void &(void);\nvoid &(void)\n{\n\tlibpcap_heap_absent();\n}/'
	# Streams of its own, since the archive reaches for the program's as no shared object can, and
	# nothing that it says on them.
	echo 'void *stdin, *stdout, *stderr;'
	echo 'int fprintf(void), __fprintf_chk(void);'
	echo 'int fprintf(void) { return 0; }'
	echo 'int __fprintf_chk(void) { return 0; }'
} >absent.c
"$cc" ${target:+"--target=$target"} -O2 -fPIC -fno-builtin -w -c -o absent.o absent.c
"$ld" -r -o whole.o joined.o absent.o

{
	for name in malloc calloc realloc strdup exit abort; do
		echo "$name libpcap_heap_$name"
	done
	echo free libpcap_heap_drop
	for name in pcap_compile pcap_open_dead pcap_geterr pcap_lex bpf_filter; do
		echo "$name copied_$name"
	done
} >names
cut -d' ' -f2 names | grep '^copied_' >kept
"$objcopy" --redefine-syms=names whole.o renamed.o
"$objcopy" --keep-global-symbols=kept renamed.o "$object"
