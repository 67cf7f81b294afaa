#!/bin/sh
# Builds everything and runs every test:
#   sh tests/run.sh
# Installs what is missing with apt (as root, or through sudo). Options, as
# environment variables:
#   CONNBITS_ROUNDS=N        N times as many rounds of the property tests
#   CONNBITS_FUZZ_SECONDS=N  seconds for each fuzz target (default 5)
#   CONNBITS_REAL_LOG=FILE   a dionaea log to test on, only read
set -eu
cd "$(dirname "$0")/.."
folder=${CONNBITS_TEST_FOLDER:-$PWD/build-tests}
jobs=$(nproc)
# Another Python than Debian's may load no extension into SQLite, and be slow to start.
PATH=/usr/bin:$PATH
export PATH

sh data/setup.sh bash binutils-i686-linux-gnu bison chromium clang clang-format clang-tidy cmake conntrack dpkg-dev \
	file flex gcc gcc-aarch64-linux-gnu iproute2 jq libc6-dev-arm64-cross libclang-rt-dev libcmocka-dev \
	libmd-dev libomp-dev libpcap-dev libroaring-dev libsqlite3-dev libyajl-dev libzstd-dev lintian make mandoc \
	mmdebstrap munge musl-tools nfdump pkg-config pmacct python3 python3-pip python3-pluggy python3-setuptools \
	python3-venv python3-wheel qemu-user rsync slurm-client slurmctld slurmd sqlite3 systemd tcpdump \
	tcpreplay ulogd2 ulogd2-sqlite3 valgrind zlib1g-dev zstd
# Whoever has Node has npm and the headers with it, or else Debian's.
command -v npm >/dev/null || sh data/setup.sh nodejs npm
[ -e /usr/include/node/node.h ] || sh data/setup.sh libnode-dev

stage() {
	printf '\n== %s\n' "$1"
}

build() {
	name=$1
	shift
	cmake -S . -B "$folder/$name" -DCONNBITS_STRICT=ON "$@" >"$folder/$name.log" 2>&1 &&
		cmake --build "$folder/$name" -j "$jobs" >>"$folder/$name.log" 2>&1 || {
		cat "$folder/$name.log"
		exit 1
	}
}

mkdir -p "$folder"
stage "clients from npm, built here, and gcc, every warning an error"
mkdir -p "$folder/clients"
cp tests/sql/clients/package.json "$folder/clients"
(cd "$folder/clients" && npm_config_nodedir=/usr npm_config_build_from_source=true \
	npm install --no-audit --no-fund --no-package-lock) >"$folder/clients.log" 2>&1 &
clients=$!
build gcc -DCMAKE_C_COMPILER=gcc -DCONNBITS_TESTS=ON
wait $clients || {
	tail -n 40 "$folder/clients.log"
	exit 1
}
CONNBITS_CLIENTS=$folder/clients
export CONNBITS_CLIENTS

stage "clang, every warning an error, AddressSanitizer and UndefinedBehaviorSanitizer, fuzz targets"
build clang -DCMAKE_C_COMPILER=clang -DCONNBITS_TESTS=ON -DCONNBITS_FUZZ=ON -DCONNBITS_SANITIZE=ON \
	-DCMAKE_EXPORT_COMPILE_COMMANDS=ON

stage "clang-format"
git ls-files '*.c' '*.h' 2>/dev/null | grep . >"$folder/sources" ||
	find indexer query bench tests -name '*.[ch]' >"$folder/sources"
xargs clang-format --dry-run -Werror <"$folder/sources"
stage "clang-tidy"
# A third of the analyzer's usual bound on a function's states takes a quarter of its time.
grep '\.c$' "$folder/sources" | grep -v '^tests/' |
	xargs -n 4 -P "$jobs" clang-tidy -p "$folder/clang" --quiet --extra-arg=-Xclang --extra-arg=-analyzer-config \
		--extra-arg=-Xclang --extra-arg=max-nodes=75000 2>"$folder/tidy.log" || {
	cat "$folder/tidy.log"
	exit 1
}

stage "other machines: aarch64, 32 bits, musl"
sh tests/aarch64.sh "$folder/aarch64"
CONNBITS_BUILD=$folder/gcc sh tests/package/machines.sh "$folder/machines"

stage "ThreadSanitizer"
sh tests/threads.sh "$folder/threads"

stage "tests"
ctest --test-dir "$folder/gcc" --output-on-failure -j "$jobs"
stage "tests under sanitizers"
# Clang 14 misreads the thread-local storage of libraries that glibc loads later, those of getservbyname among
# them, and its LeakSanitizer then crashes: so it does not look there.
# sanitized LEAKS OPTION...: LEAKS is 1 where leaks are looked for, which is two thirds of a short program's time
sanitized() {
	leaks=$1
	shift
	CONNBITS_PRELOAD=$(clang -print-file-name="libclang_rt.asan-$(uname -m).so") CONNBITS_LAYOUT_ROWS=150 \
		ASAN_OPTIONS=detect_leaks=$leaks:intercept_tls_get_addr=0 UBSAN_OPTIONS=print_stacktrace=1 \
		ctest --test-dir "$folder/clang" --output-on-failure -j "$jobs" "$@"
}
sanitized 1 -R '^(unit\..*|cli)$'
sanitized 0 -E '^(unit\..*|cli)$'
stage "fuzzing, ${CONNBITS_FUZZ_SECONDS:-5} seconds a target"
# shellcheck disable=SC2016
printf '%s\n' tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||' | xargs -P "$jobs" -I TARGET sh -c '
	folder=$1 target=$2
	mkdir -p "$folder/corpus/$target"
	"$folder/clang/tests/fuzz_$target" -max_total_time="${CONNBITS_FUZZ_SECONDS:-5}" \
		-max_len=65536 -artifact_prefix="$folder/" "$folder/corpus/$target" \
		>"$folder/fuzz-$target.log" 2>&1 || {
		tail -n 40 "$folder/fuzz-$target.log"
		exit 1
	}
	printf "%s: %s\n" "$target" "$(grep "^Done" "$folder/fuzz-$target.log")"' fuzz "$folder" TARGET
stage "all passed"
