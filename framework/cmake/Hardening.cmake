# Debian's hardening of what ships: position-independent programs whose tables of addresses are
# read-only, guarded stacks and jumps, checked calls of the C and the C++ library. It is of the
# Release build alone: sanitizers, in builds of other kinds, check more than it does.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(hardening -fstack-protector-strong -fstack-clash-protection
  -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
  list(APPEND hardening -fcf-protection)
endif()
add_compile_options("$<$<CONFIG:Release>:${hardening}>")
add_link_options(LINKER:-z,relro,-z,now)
