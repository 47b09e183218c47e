// NumPy's file format for one array, version 1.0 (NEP 1). It is only written here, as float32.
#pragma once

#include <string>

#include "framework/node/shape.h"

namespace weft {

std::string encode_npy(const Shape& shape, const float* numbers);  // row-major

}  // namespace weft
