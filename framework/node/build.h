// What a plugin and its host must have in common, because they exchange C++ classes. It is one
// text, made from the headers that the compiler sees.
#pragma once

#include <string>  // says which ABI std::string has

#define WEFT_VERSION "0.1.0"

#define WEFT_TEXT_OF(x) #x
#define WEFT_TEXT(x) WEFT_TEXT_OF(x)

#if defined(__clang__)
#define WEFT_COMPILER "clang " WEFT_TEXT(__clang_major__)
#else
#define WEFT_COMPILER "gcc " WEFT_TEXT(__GNUC__)
#endif

#if __cplusplus > 202002L
#define WEFT_STANDARD "C++23"
#else
#define WEFT_STANDARD "C++20"
#endif

#if defined(_GLIBCXX_DEBUG)
#define WEFT_CXX_ABI "cxx11abi debug"
#elif _GLIBCXX_USE_CXX11_ABI
#define WEFT_CXX_ABI "cxx11abi"
#else
#define WEFT_CXX_ABI "cxx98abi"
#endif

// Casts between kinds of nodes need RTTI.
#if defined(__cpp_rtti)
#define WEFT_RTTI ""
#else
#define WEFT_RTTI " -fno-rtti"
#endif

// The text: "weft 0.1.0 | gcc 12 | C++20 cxx11abi". It leaves out oneDNN and oneTBB, whose headers
// no plugin sees.
#define WEFT_BUILD \
  "weft " WEFT_VERSION " | " WEFT_COMPILER " | " WEFT_STANDARD " " WEFT_CXX_ABI WEFT_RTTI
