#include "framework/run/guard_zones.h"

#include <algorithm>
#include <cstring>

#include "framework/language/fields.h"

namespace weft {

namespace {
constexpr uint32_t untouched = 0x7fd7a5c3;  // a NaN; as an integer, too large for any index
// Around what may be written: a number, as an overrun that reads a NaN writes one.
constexpr uint32_t number = 0x4d2fa5c3;
constexpr size_t alignment = 64 / sizeof(uint32_t);  // numbers, as in the plan's memory

size_t bytes_of(const Tensor& tensor) {
  return static_cast<size_t>(tensor.size()) * sizeof(uint32_t);
}
}  // namespace

Tensor GuardZones::take(const std::string& name, const Tensor& from, Use use, int64_t rows) {
  if (!from || from.size() == 0) return from;
  const int64_t owed =
      rows < 0 || from.shape.rank() == 0 ? from.size() : rows * from.shape.row_elements();
  const int64_t zone = std::clamp<int64_t>(from.size(), 256, 1 << 20);  // numbers on each side
  Part& part = parts_.emplace_back(
      Part{name, from, use, owed, use == Use::read ? untouched : number, {}, nullptr});
  part.memory.assign(static_cast<size_t>(from.size() + 2 * zone) + alignment, part.guard);
  const auto address = reinterpret_cast<uintptr_t>(part.memory.data() + zone) / sizeof(uint32_t);
  part.begin = part.memory.data() + zone + (alignment - address % alignment) % alignment;
  std::memcpy(part.begin, from.data, bytes_of(from));
  if (use == Use::write || use == Use::fill) std::fill_n(part.begin, owed, untouched);
  if (use == Use::gone) std::fill_n(part.begin, from.size(), untouched);
  return {from.shape, from.dtype, part.begin};
}

void GuardZones::check() const {
  for (const Part& part : parts_) check_zones(part);
  for (const Part& part : parts_) {
    if (part.use == Use::read) check_same(part);
    if (part.use == Use::write) check_written(part);
  }
  for (const Part& part : parts_)
    if (part.use != Use::read && part.use != Use::gone)
      std::memcpy(part.from.data, part.begin, bytes_of(part.from));
}

void GuardZones::check_zones(const Part& part) {
  const uint32_t* const first = part.memory.data();
  const auto touched = [&](uint32_t word) { return word != part.guard; };
  if (std::any_of<const uint32_t*>(part.begin + part.from.size(), first + part.memory.size(),
                                   touched))
    throw Breach("writes beyond the end of " + ticked(part.name));
  if (std::any_of<const uint32_t*>(first, part.begin, touched))
    throw Breach("writes before the beginning of " + ticked(part.name));
}

void GuardZones::check_same(const Part& part) {
  if (std::memcmp(part.begin, part.from.data, bytes_of(part.from)) != 0)
    throw Breach("changes " + ticked(part.name) + ", which it may only read");
}

void GuardZones::check_written(const Part& part) const {
  const uint32_t* const end = part.begin + part.owed;
  const uint32_t* const first = std::find<const uint32_t*>(part.begin, end, untouched);
  if (first == end) return;
  const bool gone = std::ranges::any_of(parts_, [](const Part& p) { return p.use == Use::gone; });
  throw Breach("leaves " + std::to_string(std::count(first, end, untouched)) + " of " +
               std::to_string(part.owed) + " numbers of " + ticked(part.name) +
               " unwritten, or adds to what it has not written" +
               (gone ? ", or reads a port that is forward_only()" : "") + ": the first at " +
               part.from.shape.index(first - part.begin));
}

}  // namespace weft
