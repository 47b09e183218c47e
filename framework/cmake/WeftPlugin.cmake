# weft_plugin(NAME SOURCES... [VERSION x.y] [LIBRARIES ...] [FRAGMENTS ...])
#
# Builds the plugin NAME from node files: lib/weft/plugins/libweft_NAME.so in the build tree, and in
# the prefix that it is installed to. A plugin links weft::node and LIBRARIES. FRAGMENTS, YAML files,
# go to share/weft/fragments there. VERSION is the project's unless given.
function(weft_plugin NAME)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "VERSION" "LIBRARIES;FRAGMENTS")
  add_library(weft_${NAME} MODULE ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(weft_${NAME} PRIVATE ${ARG_LIBRARIES})
  weft_plugin_entry(weft_${NAME} ${NAME} "${ARG_VERSION}")
  set_target_properties(weft_${NAME} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/weft/plugins INSTALL_RPATH "$ORIGIN/..")
  install(TARGETS weft_${NAME} LIBRARY DESTINATION lib/weft/plugins COMPONENT weft)
  foreach(fragment IN LISTS ARG_FRAGMENTS)
    cmake_path(GET fragment FILENAME file)
    configure_file(${fragment} ${CMAKE_BINARY_DIR}/share/weft/fragments/${file} COPYONLY)
    install(FILES ${fragment} DESTINATION share/weft/fragments COMPONENT weft)
  endforeach()
endfunction()

# Makes the MODULE library TARGET the plugin NAME: compiles the generated entry into it.
function(weft_plugin_entry TARGET NAME VERSION)
  if(NOT NAME MATCHES "^[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "weft_plugin: the name `${NAME}` is not a lower_snake word")
  endif()
  if(VERSION STREQUAL "")
    set(VERSION ${PROJECT_VERSION})
  endif()
  if(VERSION STREQUAL "")
    message(FATAL_ERROR "weft_plugin: `${NAME}` needs a VERSION, here or in project()")
  endif()
  set(template ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/entry.cpp.in)  # installed
  if(NOT EXISTS ${template})
    set(template ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../plugins/entry.cpp.in)
  endif()
  set(entry ${CMAKE_CURRENT_BINARY_DIR}/${TARGET}_entry.cpp)
  configure_file(${template} ${entry} @ONLY)
  target_sources(${TARGET} PRIVATE ${entry})
  target_link_libraries(${TARGET} PRIVATE weft::node)
  target_link_options(${TARGET} PRIVATE LINKER:-z,defs)
  set_target_properties(${TARGET} PROPERTIES
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()
