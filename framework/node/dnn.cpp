#include "framework/node/dnn.h"

#include <omp.h>

#include <cctype>
#include <string_view>

#include "framework/node/dnn_call.h"
#include "framework/node/dnn_plans.h"
#include "framework/node/parallel.h"
#include "framework/node/simd.h"

namespace weft {

namespace {
WEFT_SIMD void relu(float* __restrict y, int64_t n, float slope) {
  for (int64_t i = 0; i < n; ++i) y[i] = y[i] < 0 ? slope * y[i] : y[i];  // NaN stays NaN
}

WEFT_SIMD void tanh(float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = simd::tanh(y[i]);
}

WEFT_SIMD void sigmoid(float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = simd::sigmoid(y[i]);
}

WEFT_SIMD void relu_backward(const float* __restrict y, float* __restrict grad, int64_t n,
                             float slope) {
  for (int64_t i = 0; i < n; ++i) grad[i] *= y[i] > 0 ? 1.0F : slope;
}

WEFT_SIMD void tanh_backward(const float* __restrict y, float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] *= 1.0F - y[i] * y[i];
}

WEFT_SIMD void sigmoid_backward(const float* __restrict y, float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] *= y[i] * (1.0F - y[i]);
}
}  // namespace

const dnnl::engine& dnn::engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

dnnl_stream_t dnn::stream() {
  thread_local const dnnl::stream own = (single_threaded_dnn(), dnnl::stream(engine()));
  return own.get();
}

dnn::Scratch::Scratch(std::initializer_list<size_t> parts) {
  constexpr size_t alignment = 64;
  size_t bytes = 0;
  for (const size_t part : parts) bytes += lines(part);
  thread_local std::vector<std::byte> memory;
  if (memory.size() < bytes + alignment) memory = std::vector<std::byte>(bytes + alignment);
  at_ = memory.data() +
        (alignment - reinterpret_cast<uintptr_t>(memory.data()) % alignment) % alignment;
}

dnnl::primitive_attr dnn::attributes(Activation activation, float slope, float factor) {
  using dnnl::algorithm;
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops after;
  if (factor != 1) scale(attr, after, factor);
  switch (activation) {
    case Activation::none: break;
    case Activation::relu: append_activation(after, algorithm::eltwise_relu, 0); break;
    case Activation::leaky_relu: append_activation(after, algorithm::eltwise_relu, slope); break;
    case Activation::tanh: append_activation(after, algorithm::eltwise_tanh, 0); break;
    case Activation::sigmoid: append_activation(after, algorithm::eltwise_logistic, 0); break;
  }
  attr.set_post_ops(after);
  return attr;
}

void activation_forward(Activation f, float slope, float* y, int64_t n) {
  switch (f) {
    case Activation::none: return;
    case Activation::relu: return relu(y, n, 0);
    case Activation::leaky_relu: return relu(y, n, slope);
    case Activation::tanh: return tanh(y, n);
    case Activation::sigmoid: return sigmoid(y, n);
  }
}

void activation_backward(Activation f, float slope, const float* y, float* grad, int64_t n) {
  switch (f) {
    case Activation::none: return;
    case Activation::relu: return relu_backward(y, grad, n, 0);
    case Activation::leaky_relu: return relu_backward(y, grad, n, slope);
    case Activation::tanh: return tanh_backward(y, grad, n);
    case Activation::sigmoid: return sigmoid_backward(y, grad, n);
  }
}

// Asks the library: it may have been built with other options than the headers here say.
std::string dnn_threads() {
  switch (dnnl_version()->cpu_runtime) {
    case DNNL_RUNTIME_SEQ: return "one thread";
    case DNNL_RUNTIME_OMP: return "OpenMP";
    case DNNL_RUNTIME_TBB: return "oneTBB";
    case DNNL_RUNTIME_THREADPOOL: return "a pool of its caller";
    default: return "SYCL";
  }
}

void single_threaded_dnn() {
  thread_local bool said = false;
  if (said) return;
  if (dnnl_version()->cpu_runtime > DNNL_RUNTIME_TBB)
    throw Error(Exit::plugin, dnn_version() + " was built to run on " + dnn_threads() +
                                  "; weft needs one that was built for OpenMP or oneTBB, such as "
                                  "Debian's libdnnl");
  omp_set_num_threads(1);
  said = true;
}

// single_threaded_dnn() is enough for OpenMP. oneTBB would take all threads of the current arena.
void dnn::on_one_thread(const std::function<void()>& f) {
  static const bool on_tbb = dnnl_version()->cpu_runtime == DNNL_RUNTIME_TBB;
  on_tbb ? alone(f) : f();
}

std::string dnn_version() {
  const dnnl_version_t* v = dnnl_version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
         std::to_string(v->patch);
}

bool dnn_is_as_built() {
  const dnnl_version_t* v = dnnl_version();
  return v->major == DNNL_VERSION_MAJOR && v->minor == DNNL_VERSION_MINOR &&
         v->patch == DNNL_VERSION_PATCH;
}

std::string dnn_isa() {
  std::string name = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());  // "cpu_isa_avx2"
  name.erase(0, std::string_view("cpu_isa_").size());
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace weft
