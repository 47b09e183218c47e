// Tensors that stand for others while a call is watched: between guard zones, and blank where the
// call must write.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "framework/node/shape.h"

namespace weft {

// Code that does not keep the contract of its role, as seen by who called it. The sentence goes on
// after the name of the call: "leaves 4 of 12 numbers of `y` unwritten, …".
class Breach : public Error {
 public:
  explicit Breach(const std::string& sentence) : Error(Exit::plugin, sentence) {}
};

// What a call may do with a tensor. Of `write` it must write every number, of `fill` it need not;
// of `gone` it may not even read, as the numbers are no longer there.
enum class Use { read, write, update, fill, gone };

class GuardZones {
 public:
  // The place that stands for a tensor; for a tensor without numbers, itself. Of what is to be
  // written, rows behind the first `rows` are padding.
  Tensor take(const std::string& name, const Tensor& from, Use use, int64_t rows = -1);

  // Throws Breach with the first mistake found. Else gives the tensors what was written.
  void check() const;

 private:
  struct Part {
    std::string name;
    Tensor from;
    Use use;
    int64_t owed;  // numbers that must be written
    uint32_t guard;
    std::vector<uint32_t> memory;
    uint32_t* begin;  // of the tensor's place within the memory
  };
  static void check_zones(const Part& part);
  static void check_same(const Part& part);
  void check_written(const Part& part) const;

  std::deque<Part> parts_;
};

}  // namespace weft
