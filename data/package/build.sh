# Sourced by the scripts that make packages, in the root of the tree: builds release programs and the extension in
# build-package, without the tests, as far as they are not built there. Nothing of the tree's path, which may have spaces, is
# among the compiler's flags.
set -eu
umask 022
# package_leave FILE OUT: leaves it there whole or not at all, and says where
package_leave() {
	cp "$1" "$2/${1##*/}.partial" && chmod 644 "$2/${1##*/}.partial" && mv "$2/${1##*/}.partial" "$2/${1##*/}" || {
		rm -f "$2/${1##*/}.partial"
		exit 1
	}
	echo "$2/${1##*/}"
}
# package_build TARGET...
package_build() {
	sh data/setup.sh cmake gcc make pkg-config libmd-dev libpcap-dev libsqlite3-dev libyajl-dev libzstd-dev zlib1g-dev >&2
	flags=
	command -v dpkg-buildflags >/dev/null && flags=$(dpkg-buildflags --get CFLAGS | sed 's/-ffile-prefix-map=[^ ]*//') &&
		flags="$flags $(dpkg-buildflags --get CPPFLAGS)"
	links=
	command -v dpkg-buildflags >/dev/null && links=$(dpkg-buildflags --get LDFLAGS)
	mkdir -p build-package && log=build-package/log
	{
		cmake -S . -B build-package -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr \
			-DCMAKE_C_FLAGS="$flags" -DCMAKE_EXE_LINKER_FLAGS="$links" \
			-DCMAKE_MODULE_LINKER_FLAGS="$links" -DCONNBITS_UNIT_USER=connbits \
			-DCONNBITS_ZSH_DIR=share/zsh/vendor-completions &&
			cmake --build build-package -j "$(nproc)" --target "$@"
	} >"$log" 2>&1 || {
		tail -n 40 "$log" >&2
		exit 1
	}
}
package_version=$(sed -n 's/^project(connbits VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
