// Messages between the processes of a run, as an engine such as MPI carries them. An engine is a
// library of its own, which is loaded only where it was started.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/node/error.h"

namespace weft {

// Threads use a wire in turns. Every function throws Error(resources) if the engine fails.
class Wire {
 public:
  Wire() = default;
  virtual ~Wire() = default;  // ends the engine; every process does
  Wire(const Wire&) = delete;

  virtual int64_t rank() const = 0;
  virtual int64_t count() const = 0;
  virtual std::string engine() const = 0;              // "Open MPI v4.1.4"
  virtual std::vector<std::string> hosts() const = 0;  // by rank
  // These begin, and return in how many messages. Those of one tag between two processes arrive in
  // order. The memory must live until finished() has named the ticket as often. What is told has
  // then arrived; what is sent may still be on its way.
  virtual void tell(int64_t to, int tag, const void* data, size_t bytes, uint64_t ticket) = 0;
  virtual int send(int64_t to, int tag, const void* data, size_t bytes, uint64_t ticket) = 0;
  virtual int receive(int64_t from, int tag, void* data, size_t bytes, uint64_t ticket) = 0;
  virtual void finished(std::vector<uint64_t>& tickets) = 0;  // adds those of messages that have
  virtual void abort(int code) = 0;  // ends all processes, also those that answer nothing
};

// The entry of an engine's library: makes its wire, or throws Error.
inline constexpr const char* wire_entry = "weft_wire";
using MakeWire = Wire* (*)();

}  // namespace weft
