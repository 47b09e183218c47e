// Compiled with -fno-rtti.
#include "tests/plugins/good.cpp"
