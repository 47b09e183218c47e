// Arrays, compared in sentences that go on after a name: "is 1 at [2, 3], and not 2".
#pragma once

#include <string>

#include "framework/trial/node_rig.h"

namespace weft::trial {

std::string number(double x);
std::string at(const Shape& shape, size_t element);  // " at [2, 3]"

// "" if every number was written and is finite.
std::string unfinished(const Array& array);

// "" if they are alike: in their bits, or within `tolerance`, relative to the number or to the
// typical number of the array.
std::string difference(const Array& got, const Array& expected, double tolerance = 0);
// The same of the first `rows`.
std::string difference_of_rows(const Array& got, const Array& expected, int64_t rows,
                               double tolerance = 0);
bool same_bits(const Array& a, const Array& b);

}  // namespace weft::trial
