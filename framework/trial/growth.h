// Memory that a loop leaves behind.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace weft::trial {

// Calls step(0), step(1), …, 2048 times, or fewer if they take long. "" or "grows by 40 bytes each
// time": what is allocated grew from call 256 to 512, again to 1024, and again to 2048, as it does
// behind a vector too. Small growth needs many calls: malloc() keeps some of what was freed.
std::string growth(const std::function<void(int64_t)>& step);

}  // namespace weft::trial
