// A oneDNN primitive with its arguments, on which matrix products and convolutions are built. Not
// for nodes.
#pragma once

#include <oneapi/dnnl/dnnl_debug.h>
#include <array>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <utility>

#include "framework/node/dnn.h"

namespace weft::dnn {

using Type = dnnl::memory::data_type;
constexpr auto f32 = Type::f32, bf16 = Type::bf16;

const dnnl::engine& engine();
dnnl_stream_t stream();  // the calling thread's

// Scratch memory of the calling thread for the duration of a call, in parts.
class Scratch {
 public:
  explicit Scratch(std::initializer_list<size_t> parts);  // bytes of each
  void* part(size_t bytes) { return std::exchange(at_, at_ + lines(bytes)); }

 private:
  static size_t lines(size_t bytes) { return (bytes + 63) / 64 * 64; }  // rounded up
  std::byte* at_;
};

// Attributes of a primitive whose result is scaled by `factor` before the activation. Its scratch
// memory comes from the caller.
dnnl::primitive_attr attributes(Activation activation, float slope, float factor = 1);

// Calls `f`, which builds or runs primitives, so that they take no thread but this.
void on_one_thread(const std::function<void()>& f);

// Builds `make()`; what oneDNN throws becomes an Error that names `what`.
template <class Make>
auto build(const std::string& what, Make make) {
  single_threaded_dnn();
  try {
    decltype(make()) made;
    on_one_thread([&] { made = make(); });
    return made;
  } catch (const dnnl::error& error) {
    throw Error(error.status == dnnl_out_of_memory ? Exit::resources : Exit::internal,
                dnn_version() + " refuses " + what + ": " + error.what());
  }
}

// A primitive whose arguments are prepared: a call only sets the pointers that changed.
class Call {
 public:
  explicit operator bool() const { return primitive_.get(true) != nullptr; }

  template <class Plan, class Primitive>
  void set(const Plan& plan, Primitive primitive) {
    primitive_ = std::move(primitive);
    add(DNNL_ARG_SCRATCHPAD, dnnl::memory(plan.scratchpad_desc(), engine()));
  }
  // Adds an argument whose numbers are given at each call, in the order in which they were added.
  void input(int argument, const dnnl::memory::desc& layout) {
    add(argument, dnnl::memory(layout, engine(), DNNL_MEMORY_NONE));
  }
  template <class... Pointers>
  void operator()(const char* what, Pointers... pointers) {
    int position = 0;
    (point(position++, pointers), ...);
    dnnl_status_t status = dnnl_success;
    on_one_thread([&] {
      status = dnnl_primitive_execute(primitive_.get(), stream(), count_, arguments_.data());
    });
    if (status != dnnl_success)
      throw Error(Exit::internal, dnn_version() + " failed to run " + std::string(what) +
                                      " (status " + std::to_string(status) + ")");
  }

 private:
  void add(int argument, dnnl::memory value) {
    const auto i = static_cast<size_t>(count_++);
    arguments_[i] = {argument, value.get()};
    memory_[i] = std::move(value);
  }
  void point(int position, const void* to) {
    const auto i = static_cast<size_t>(position);
    if (std::exchange(pointers_[i], to) != to)
      dnnl_memory_set_data_handle(memory_[i].get(), const_cast<void*>(to));
  }

  dnnl::primitive primitive_;
  std::array<dnnl::memory, 6> memory_;
  std::array<const void*, 6> pointers_{};
  std::array<dnnl_exec_arg_t, 6> arguments_{};
  int count_ = 0;
};

}  // namespace weft::dnn
