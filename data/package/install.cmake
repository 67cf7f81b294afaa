# What is installed where, in three components (cmake --install build --component NAME): programs, extension,
# bench. And `cmake --build build --target uninstall`.
set(CONNBITS_UNIT_USER dionaea CACHE STRING "The account that the systemd unit runs as: one that can read the log")
set(CONNBITS_ZSH_DIR ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "Where zsh finds completions")

# install_programs(COMPONENT NAME...): programs, their manual pages (a glob knows the folder), and their completions.
function(install_programs component)
	foreach(name ${ARGN})
		install(TARGETS connbits-${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
		file(GLOB page ${PROJECT_SOURCE_DIR}/*/connbits-${name}.1)
		install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT ${component})
		install(FILES ${PROJECT_SOURCE_DIR}/data/completions/connbits.bash RENAME connbits-${name}
			DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT ${component})
		install(FILES ${PROJECT_SOURCE_DIR}/data/completions/connbits.fish RENAME connbits-${name}.fish
			DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT ${component})
	endforeach()
endfunction()

install_programs(programs import index query)
if(CONNBITS_BENCH)
	install_programs(bench bench generate)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/data/completions/_connbits DESTINATION ${CONNBITS_ZSH_DIR} COMPONENT programs)
install(FILES ${PROJECT_SOURCE_DIR}/data/filters.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/connbits COMPONENT programs)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/data/fleet DESTINATION ${CMAKE_INSTALL_DATADIR}/connbits COMPONENT programs USE_SOURCE_PERMISSIONS
	PATTERN __pycache__ EXCLUDE PATTERN *.service EXCLUDE)

# Units name paths, which only the prefix of the installation tells.
set(connbits_units connbits-index.service connbits-index.timer)
set(connbits_fleet_units connbits-export.service connbits-load.service connbits-ship.service)
list(TRANSFORM connbits_fleet_units PREPEND fleet/)
install(CODE "
	get_filename_component(prefix \"\${CMAKE_INSTALL_PREFIX}\" ABSOLUTE)
	string(REPLACE \"%\" \"%%\" prefix \"\${prefix}\")
	string(REPLACE \" \" \"%%20\" manual \"\${prefix}\")
	foreach(unit ${connbits_units} ${connbits_fleet_units})
		file(READ \"${PROJECT_SOURCE_DIR}/data/\${unit}\" text)
		string(REPLACE /usr/bin/connbits \"\${prefix}/${CMAKE_INSTALL_BINDIR}/connbits\" text \"\${text}\")
		string(REPLACE /usr/share/man/ \"\${manual}/${CMAKE_INSTALL_MANDIR}/\" text \"\${text}\")
		string(REPLACE /usr/share/ \"\${prefix}/${CMAKE_INSTALL_DATADIR}/\" text \"\${text}\")
		string(REPLACE User=dionaea \"User=${CONNBITS_UNIT_USER}\" text \"\${text}\")
		file(WRITE \"${CMAKE_CURRENT_BINARY_DIR}/unit/\${unit}\" \"\${text}\")
	endforeach()" COMPONENT programs)
list(TRANSFORM connbits_units PREPEND ${CMAKE_CURRENT_BINARY_DIR}/unit/)
list(TRANSFORM connbits_fleet_units PREPEND ${CMAKE_CURRENT_BINARY_DIR}/unit/)
install(FILES ${connbits_units} DESTINATION lib/systemd/system COMPONENT programs)
install(FILES ${connbits_fleet_units} DESTINATION ${CMAKE_INSTALL_DATADIR}/connbits/fleet COMPONENT programs)

# The extension, and how others find it: pkg-config --variable=extension connbits, find_package(connbits).
install(TARGETS connbits_extension LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/connbits COMPONENT extension)
configure_file(${PROJECT_SOURCE_DIR}/query/sql/connbits.pc.in connbits.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/connbits.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
	COMPONENT extension)
include(CMakePackageConfigHelpers)
configure_package_config_file(${PROJECT_SOURCE_DIR}/query/sql/connbits-config.cmake.in connbits-config.cmake
	INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/connbits PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(connbits-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/connbits-config.cmake
	${CMAKE_CURRENT_BINARY_DIR}/connbits-config-version.cmake
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/connbits COMPONENT extension)

# Every file that an installation from this folder has written down, and the folders that are ours alone.
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/uninstall.cmake "
	file(GLOB lists \"\${CMAKE_CURRENT_LIST_DIR}/install_manifest*.txt\")
	if(NOT lists)
		message(FATAL_ERROR \"nothing to uninstall: no installation was made from \${CMAKE_CURRENT_LIST_DIR}\")
	endif()
	foreach(list \${lists})
		file(STRINGS \${list} files)
		foreach(file \${files})
			message(STATUS \"Removing \$ENV{DESTDIR}\${file}\")
			file(REMOVE \"\$ENV{DESTDIR}\${file}\")
			if(EXISTS \"\$ENV{DESTDIR}\${file}\")
				message(FATAL_ERROR \"cannot remove it; as root, or as who installed it, run this again\")
			endif()
			get_filename_component(folder \"\${file}\" DIRECTORY)
			if(folder MATCHES \"/connbits(/fleet)?\$\")
				execute_process(COMMAND rmdir \"\$ENV{DESTDIR}\${folder}\" ERROR_QUIET)
			endif()
		endforeach()
		file(REMOVE \${list})
	endforeach()")
add_custom_target(uninstall COMMAND ${CMAKE_COMMAND} -P ${CMAKE_CURRENT_BINARY_DIR}/uninstall.cmake VERBATIM)

include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
