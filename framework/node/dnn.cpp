#include "framework/node/dnn.h"

#include <omp.h>

#include <array>
#include <oneapi/dnnl/dnnl.hpp>

#include "framework/node/simd.h"

namespace weft {

namespace {

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

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

dnnl_stream_t stream() {
  thread_local const dnnl::stream own = (single_threaded_dnn(), dnnl::stream(engine()));
  return own.get();
}

bool stacked(const Matrix& m) {
  return m.outer != 1 || m.inner != 1;
}

dnnl::memory::desc layout(const Matrix& m, bool stack) {
  using Desc = dnnl::memory::desc;
  constexpr auto f32 = dnnl::memory::data_type::f32;
  if (!stack) return Desc({m.rows, m.cols}, f32, {m.row_stride, m.col_stride});
  return Desc({m.outer, m.inner, m.rows, m.cols}, f32,
              {m.outer_stride, m.inner_stride, m.row_stride, m.col_stride});
}

dnnl::memory::desc bias_layout(int64_t cols, bool stack) {
  return layout({1, cols, cols, 1, 1, cols, 1, cols}, stack);
}

std::string text(std::initializer_list<int64_t> numbers) {
  std::string list;
  for (const int64_t number : numbers) list += (list.empty() ? "[" : ", ") + std::to_string(number);
  return list + "]";
}

std::string text(const Matrix& m) {
  if (!stacked(m))
    return text({m.rows, m.cols}) + " with strides " + text({m.row_stride, m.col_stride});
  return text({m.outer, m.inner, m.rows, m.cols}) + " with strides " +
         text({m.outer_stride, m.inner_stride, m.row_stride, m.col_stride});
}

std::string text(const Matrix& a, const Matrix& b, const Matrix& c) {
  return "the product of a, " + text(a) + ", and b, " + text(b) + ", into c, " + text(c);
}

dnnl::primitive_attr attributes(const MatmulOptions& options) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (options.scale != 1) attr.set_output_scales(0, {options.scale});
  dnnl::post_ops after;
  switch (options.activation) {
    case Activation::none: return attr;
    case Activation::relu: after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0); break;
    case Activation::leaky_relu:
      after.append_eltwise(1, dnnl::algorithm::eltwise_relu, options.slope, 0);
      break;
    case Activation::tanh: after.append_eltwise(1, dnnl::algorithm::eltwise_tanh, 0, 0); break;
    case Activation::sigmoid:
      after.append_eltwise(1, dnnl::algorithm::eltwise_logistic, 0, 0);
      break;
  }
  attr.set_post_ops(after);
  return attr;
}

void check(const Matrix& a, const Matrix& b, const Matrix& c, const MatmulOptions& options) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Exit::internal, text(a, b, c) + " is not defined: " + why);
  };
  if (a.rows != c.rows || b.cols != c.cols || a.cols != b.rows) refuse("the extents differ");
  if (a.outer != c.outer || b.outer != c.outer || a.inner != c.inner || b.inner != c.inner)
    refuse("the stacks differ");
  if (options.bias && options.scale != 1) refuse("a scaled product has no bias");
  if (a.cols == 0 && (options.bias || options.activation != Activation::none))
    refuse("a product over nothing has neither bias nor activation");
}

}  // namespace

void activation_backward(Activation f, float slope, const float* y, float* grad, int64_t n) {
  switch (f) {
    case Activation::none: return;
    case Activation::relu: return relu_backward(y, grad, n, 0);
    case Activation::leaky_relu: return relu_backward(y, grad, n, slope);
    case Activation::tanh: return tanh_backward(y, grad, n);
    case Activation::sigmoid: return sigmoid_backward(y, grad, n);
  }
}

// The arguments of a call stand ready; a call only moves the pointers that changed.
struct Matmul::Built {
  Matrix c;
  bool empty, over_nothing;  // c has no element; a has no column
  dnnl::matmul primitive;
  std::array<dnnl::memory, 5> memory;
  std::array<const void*, 4> pointers{};
  std::array<dnnl_exec_arg_t, 5> arguments{};
  int count = 0;

  Built(const Matrix& a, const Matrix& b, const Matrix& c, const MatmulOptions& options)
      : c(c), empty(c.rows * c.cols * c.outer * c.inner == 0), over_nothing(a.cols == 0) {
    if (empty || over_nothing) return;
    const bool stack = stacked(c);
    const auto A = layout(a, stack), B = layout(b, stack), C = layout(c, stack);
    const auto bias = options.bias ? bias_layout(c.cols, stack) : dnnl::memory::desc();
    const auto product =
        options.bias ? dnnl::matmul::desc(A, B, bias, C) : dnnl::matmul::desc(A, B, C);
    const dnnl::matmul::primitive_desc plan(product, attributes(options), engine());
    primitive = dnnl::matmul(plan);
    add(DNNL_ARG_SRC, dnnl::memory(A, engine(), DNNL_MEMORY_NONE));
    add(DNNL_ARG_WEIGHTS, dnnl::memory(B, engine(), DNNL_MEMORY_NONE));
    add(DNNL_ARG_DST, dnnl::memory(C, engine(), DNNL_MEMORY_NONE));
    if (options.bias) add(DNNL_ARG_BIAS, dnnl::memory(bias, engine(), DNNL_MEMORY_NONE));
    add(DNNL_ARG_SCRATCHPAD, dnnl::memory(plan.scratchpad_desc(), engine()));
  }

  void add(int argument, dnnl::memory value) {
    arguments[count] = {argument, value.get()};
    memory[count++] = std::move(value);
  }

  void point(int argument, const void* pointer) {
    if (pointers[argument] == pointer) return;
    dnnl_memory_set_data_handle(memory[argument].get(), const_cast<void*>(pointer));
    pointers[argument] = pointer;
  }

  void clear(float* to) const {
    for (int64_t o = 0; o < c.outer; ++o)
      for (int64_t i = 0; i < c.inner; ++i)
        for (int64_t row = 0; row < c.rows; ++row)
          for (int64_t col = 0; col < c.cols; ++col)
            to[o * c.outer_stride + i * c.inner_stride + row * c.row_stride + col * c.col_stride] =
                0;
  }
};

Matmul::Matmul() = default;
Matmul::~Matmul() = default;
Matmul::Matmul(Matmul&&) noexcept = default;
Matmul& Matmul::operator=(Matmul&&) noexcept = default;

Matmul::Matmul(const Matrix& a, const Matrix& b, const Matrix& c, const MatmulOptions& options) {
  check(a, b, c, options);
  single_threaded_dnn();
  try {
    built_ = std::make_unique<Built>(a, b, c, options);
  } catch (const dnnl::error& error) {
    throw Error(error.status == dnnl_out_of_memory ? Exit::resources : Exit::internal,
                dnn_version() + " refuses " + text(a, b, c) + ": " + error.what());
  }
}

void Matmul::operator()(const float* a, const float* b, float* c, const float* bias) const {
  if (!built_) throw Error(Exit::internal, "a product was called before it was built");
  Built& built = *built_;
  if (built.empty) return;
  if (built.over_nothing) return built.clear(c);
  built.point(0, a);
  built.point(1, b);
  built.point(2, c);
  if (built.count == 5) built.point(3, bias);
  const dnnl_status_t status =
      dnnl_primitive_execute(built.primitive.get(), stream(), built.count, built.arguments.data());
  if (status != dnnl_success)
    throw Error(Exit::internal, dnn_version() + " failed to run a product into " + text(built.c) +
                                    " (status " + std::to_string(status) + ")");
}

void single_threaded_dnn() {
  thread_local bool said = false;
  if (!said) omp_set_num_threads(1);
  said = true;
}

std::string dnn_version() {
  const dnnl_version_t* v = dnnl_version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
         std::to_string(v->patch);
}

std::string dnn_isa() {
  switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41: return "SSE41";
    case dnnl_cpu_isa_avx: return "AVX";
    case dnnl_cpu_isa_avx2: return "AVX2";
    case dnnl_cpu_isa_avx2_vnni: return "AVX2_VNNI";
    case dnnl_cpu_isa_avx512_core: return "AVX512_CORE";
    case dnnl_cpu_isa_avx512_core_vnni: return "AVX512_CORE_VNNI";
    case dnnl_cpu_isa_avx512_core_bf16: return "AVX512_CORE_BF16";
    case dnnl_cpu_isa_avx512_core_amx: return "AVX512_CORE_AMX";
    default: return "unknown";
  }
}

}  // namespace weft
