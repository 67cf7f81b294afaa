# Debian packages by CPack: connbits, sqlite3-connbits, connbits-bench. sh data/packages.sh OUT makes them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME connbits)
set(CPACK_PACKAGE_VENDOR connbits)
set(CPACK_PACKAGE_CONTACT "connbits <connbits@localhost>")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL programs extension)
if(CONNBITS_BENCH)
	list(APPEND CPACK_COMPONENTS_ALL bench)
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/debian/stage.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME connbits)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_DEPENDS passwd)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS "sqlite3-connbits, connbits-bench, python3, rsync")
set(CPACK_COMPONENT_PROGRAMS_DESCRIPTION "pcap filters over connection logs in SQLite
Evaluates a catalogue of named pcap filters over every connection that a
honeypot, Zeek or a flow collector has logged in SQLite, keeps a bitmap of row
ids for each, and answers expressions of them, exactly as libpcap would.

The nightly job is a systemd timer, which waits to be enabled:
/etc/default/connbits says how.")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/debian/conffiles
	${CMAKE_CURRENT_LIST_DIR}/debian/postinst ${CMAKE_CURRENT_LIST_DIR}/debian/prerm
	${CMAKE_CURRENT_LIST_DIR}/debian/postrm)

set(CPACK_DEBIAN_EXTENSION_PACKAGE_NAME sqlite3-connbits)
set(CPACK_DEBIAN_EXTENSION_PACKAGE_SECTION database)
set(CPACK_DEBIAN_EXTENSION_PACKAGE_SUGGESTS "sqlite3, connbits")
set(CPACK_COMPONENT_EXTENSION_DESCRIPTION "pcap filters over connection logs, as a SQLite extension
Adds bitmap('smb and not rfc1918'), bpf_filter() and functions on Roaring
bitmaps to a SQLite connection that loads it, over the indexes that the
package connbits makes. It needs the C library alone.")

set(CPACK_DEBIAN_BENCH_PACKAGE_NAME connbits-bench)
set(CPACK_DEBIAN_BENCH_PACKAGE_SECTION net)
set(CPACK_COMPONENT_BENCH_DESCRIPTION "What pcap filters over connection logs cost
Times each stage of connbits' indexing on a log, generated or one's own, beside
the least that the work could cost, and says what each filter costs.")

include(CPack)
