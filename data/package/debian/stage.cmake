# What a package has beyond what is installed: copyright, changelog, packed manual pages, the settings of the unit.
# CPack includes it for each staged tree, before it makes packages of them.
set(names programs connbits extension sqlite3-connbits bench connbits-bench)
while(names)
	list(POP_FRONT names component package)
	set(tree ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component})
	if(NOT EXISTS ${tree})
		continue()
	endif()
	set(documents ${tree}/usr/share/doc/${package})
	configure_file(${CMAKE_CURRENT_LIST_DIR}/copyright ${documents}/copyright COPYONLY)
	configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog ${documents}/changelog.Debian COPYONLY)
	configure_file(${CMAKE_CURRENT_LIST_DIR}/../../CHANGELOG.md ${documents}/changelog COPYONLY)
	configure_file(${CMAKE_CURRENT_LIST_DIR}/overrides-${package}
		${tree}/usr/share/lintian/overrides/${package} COPYONLY)
	file(GLOB packed ${tree}/usr/share/man/man1/*.1 ${documents}/changelog*)
	execute_process(COMMAND gzip -9nf ${packed} COMMAND_ERROR_IS_FATAL ANY)
endwhile()
configure_file(${CMAKE_CURRENT_LIST_DIR}/default
	${CPACK_TEMPORARY_INSTALL_DIRECTORY}/programs/etc/default/connbits COPYONLY)
# Whatever the umask was where the sources were laid and built.
execute_process(COMMAND chmod -R u=rwX,go=rX ${CPACK_TEMPORARY_INSTALL_DIRECTORY} COMMAND_ERROR_IS_FATAL ANY)
