#!/bin/sh
# Builds for other machines with every warning an error, and asks one question in each: with the programs and through
# the extension in a host of that machine. As root, with the network.
#   sh tests/package/machines.sh FOLDER [aarch64|i686|musl]...
# aarch64 and i686 run in an emulator, on libraries of Debian; i686 is built by clang, without the bench. musl is built
# with CONNBITS_PORTABLE and without OpenMP, on libraries that are built here of Debian's sources.
#   CONNBITS_BUILD=FOLDER     has programs of this machine, which make the log and say what the answer is
#   CONNBITS_CLIENTS=FOLDER   node_modules/better-sqlite3 there has SQLite's source, for musl
set -eu
cd "$(dirname "$0")/../.."
tree=$PWD
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- aarch64 i686 musl
jobs=$(nproc)
. /etc/os-release
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
	awk -v r="$VERSION_CODENAME" '$2 == r && $3 == "main" { print $1; exit }')

rm -f "$folder/log.sqlite"
"$CONNBITS_BUILD/connbits-generate" --rows 20000 "$folder/log.sqlite"
cp "$folder/log.sqlite" "$folder/here.sqlite"
"$CONNBITS_BUILD/connbits-index" "$folder/here.sqlite" data/filters.conf --quiet
expression='smb and not {src net 10.0.0.0/8} and not src in private'
answer=$("$CONNBITS_BUILD/connbits-query" "$folder/here.sqlite" "$expression" --count)

rm -rf "$folder/here.export"
"$CONNBITS_BUILD/connbits-query" "$folder/here.sqlite" --export "$folder/here.export" --sensor here --columns-too >/dev/null

# quietly NAME COMMAND...: says what the command said, only where it fails
quietly() {
	log=$folder/$1.log
	shift
	# In the background, so that a function ends at its first failure.
	"$@" >"$log" 2>&1 &
	wait $! || {
		tail -n 40 "$log"
		exit 1
	}
}

# same WHAT EXPECTED ACTUAL
same() {
	[ "$2" = "$3" ] || {
		echo "$1: expected '$2', got '$3'"
		exit 1
	}
}

# contents LOG: the bitmaps and the stored columns, which are the same on every machine
contents() {
	sqlite3 "$1" "SELECT name, chunk, hex(bitmap) FROM connbits_bitmap JOIN connbits_filter ON id = filter ORDER BY 1, 2;
		SELECT segment, column, hex(bytes) FROM connbits_column ORDER BY 1, 2"
}

# exported FOLDER: the digests of its bitmaps and segments, which are the same on every machine
exported() {
	grep -E '^.("filter"|"segment")' "$1/manifest.jsonl" | md5sum
}

# asked MACHINE EMULATOR...: the programs of $folder/MACHINE answer as those here do
asked() {
	machine=$1
	shift
	log=$folder/$machine.sqlite
	cp "$folder/log.sqlite" "$log"
	"$@" "$folder/$machine/connbits-index" "$log" data/filters.conf --quiet
	same "$machine" "$answer" "$("$@" "$folder/$machine/connbits-query" "$log" "$expression" --count)"
	same "$machine: the index" "$(contents "$folder/here.sqlite" | md5sum)" "$(contents "$log" | md5sum)"
	"$@" "$folder/$machine/connbits-index" "$log" --verify=all >/dev/null
	"$@" "$folder/$machine/connbits-query" "$log" smb -w "$log.pcap"
	rm -f "$log.import"
	"$@" "$folder/$machine/connbits-import" "$log.import" "$log.pcap" --quiet
	"$@" "$folder/$machine/connbits-query" "$log" --report "$log.html"
	rm -rf "$log.export"
	"$@" "$folder/$machine/connbits-query" "$log" --export "$log.export" --sensor here --columns-too >/dev/null
	same "$machine: what is exported" "$(exported "$folder/here.export")" "$(exported "$log.export")"
}

# of_debian MACHINE ARCHITECTURE TRIPLE EMULATOR PACKAGE OPTION...
of_debian() {
	machine=$1 architecture=$2 triple=$3 emulator=$4 package=$5
	shift 5
	root=$folder/$machine-root
	rm -rf "$root.partial"
	[ -d "$root" ] || { quietly "$machine-root" mmdebstrap --variant=extract --architectures="$architecture" \
		--include="libc6-dev,libmd-dev,libpcap-dev,libsqlite3-dev,libyajl-dev,libzstd-dev,sqlite3,zlib1g-dev,$package" \
		"$VERSION_CODENAME" "$root.partial" "deb $mirror $VERSION_CODENAME main" && mv "$root.partial" "$root"; }
	quietly "$machine" cmake -B "$folder/$machine" --toolchain "$tree/tests/package/sysroot.cmake" -DTRIPLE="$triple" \
		-DSYSROOT="$root" -DCONNBITS_STRICT=ON -DCMAKE_BUILD_TYPE=Debug -DCONNBITS_BENCH=OFF "$@"
	quietly "$machine" cmake --build "$folder/$machine" -j "$jobs"
	asked "$machine" "$emulator" -L "$root"
	same "$machine: the extension" "$answer" "$("$emulator" -L "$root" "$root/usr/bin/sqlite3" "$folder/$machine.sqlite" \
		".load $folder/$machine/connbits" "SELECT bitmap_count('$expression')")"
	echo "$machine: $answer, as here"
}

# The libraries for musl, in $prefix.
musl_libraries() {
	mkdir -p "$folder/musl-source/lists/partial" "$prefix/lib/pkgconfig" "$prefix/include/yajl" "$prefix/kernel"
	cd "$folder/musl-source"
	echo "deb-src $mirror $VERSION_CODENAME main" >sources.list
	apt="apt-get -o Dir::Etc::SourceList=$PWD/sources.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$PWD/lists -o APT::Sandbox::User=root"
	$apt update
	$apt source --download-only libmd libpcap zlib libzstd yajl
	for archive in *.orig.tar.*; do
		case $archive in *.asc) ;; *) tar -xf "$archive" ;; esac
	done
	ln -sf /usr/include/linux /usr/include/asm-generic "/usr/include/$(gcc -print-multiarch)/asm" "$prefix/kernel/"
	export CC=musl-gcc CFLAGS="-O1 -fPIC -idirafter $prefix/kernel"
	(cd libpcap-*/ && ./configure --prefix="$prefix" --with-pcap=null --disable-shared --disable-usb --disable-bluetooth \
		--disable-dbus --disable-rdma --without-libnl && make -j "$jobs" && make install)
	(cd libmd-*/ && ./configure --prefix="$prefix" --disable-shared && make -j "$jobs" && make install)
	(cd zlib-*/ && ./configure --static --prefix="$prefix" && make -j "$jobs" libz.a && make install)
	(cd ./*zstd*/lib && make -j "$jobs" libzstd.a && make PREFIX="$prefix" install-static install-includes install-pc)
	(cd yajl-*/ && cmake -B made && make -C made yajl_s && cp made/yajl-*/lib/libyajl_s.a "$prefix/lib/libyajl.a" &&
		cp made/yajl-*/include/yajl/*.h "$prefix/include/yajl")
	sqlite=$CONNBITS_CLIENTS/node_modules/better-sqlite3/deps/sqlite3
	$CC $CFLAGS -w -c "$sqlite/sqlite3.c" -o sqlite3.o
	ar rcs "$prefix/lib/libsqlite3.a" sqlite3.o
	cp "$sqlite"/*.h "$prefix/include"
	for library in sqlite3:3.50.0 yajl:2.1.0; do
		printf 'Name: %s\nDescription: %s\nVersion: %s\nLibs: -L%s/lib -l%s\nCflags: -I%s/include\n' "${library%:*}" \
			"${library%:*}" "${library#*:}" "$prefix" "${library%:*}" "$prefix" >"$prefix/lib/pkgconfig/${library%:*}.pc"
	done
}

with_musl() {
	prefix=$folder/musl-root
	[ -e "$prefix/lib/pkgconfig/yajl.pc" ] || (quietly musl-libraries musl_libraries)
	quietly musl env PKG_CONFIG_LIBDIR="$prefix/lib/pkgconfig" cmake -B "$folder/musl" -DCMAKE_C_COMPILER=musl-gcc \
		-DCMAKE_C_FLAGS="-idirafter $prefix/kernel" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Debug \
		-DCONNBITS_STRICT=ON -DCONNBITS_OPENMP=OFF -DCONNBITS_BENCH=OFF -DCONNBITS_PORTABLE=ON
	quietly musl cmake --build "$folder/musl" -j "$jobs"
	asked musl env
	quietly musl-host musl-gcc -w -rdynamic -I"$prefix/include" tests/package/host_clash.c -o "$folder/musl/host" \
		"$prefix/lib/libsqlite3.a"
	same "musl: the extension" "[2,3]" "$("$folder/musl/host" "$folder/musl/connbits" | sed -n 2p)"
	echo "musl: $answer, as here"
}

for machine in "$@"; do
	case $machine in
	aarch64) of_debian aarch64 arm64 aarch64-linux-gnu qemu-aarch64 libgomp1 ;;
	i686) of_debian i686 i386 i686-linux-gnu qemu-i386 "libomp-dev,libgcc-$(gcc -dumpversion)-dev" -DWITH=clang ;;
	musl) with_musl ;;
	esac
done
