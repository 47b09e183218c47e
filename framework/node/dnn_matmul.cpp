#include <optional>

#include "framework/node/dnn.h"
#include "framework/node/dnn_call.h"
#include "framework/node/dnn_half.h"
#include "framework/node/dnn_plans.h"

namespace weft {

namespace {

bool stacked(const Matrix& m) {
  return m.outer != 1 || m.inner != 1;
}

// Axes of a stack that are 1 are left out: whatever their stride is, oneDNN takes its slowest
// kernel for one of 0, and oneDNN 3 computes something else for some others.
dnn::Desc layout(const Matrix& m, dnn::Type type = dnn::f32) {
  dnn::Dims dims{m.rows, m.cols}, strides{m.row_stride, m.col_stride};
  const auto put = [&](int64_t extent, int64_t stride) {
    if (extent == 1) return;
    dims.insert(dims.begin(), extent), strides.insert(strides.begin(), stride);
  };
  put(m.inner, m.inner_stride), put(m.outer, m.outer_stride);
  return dnn::Desc(dims, type, strides);
}

// A row that all matrices of c add.
dnn::Desc bias_layout(const Matrix& c) {
  dnn::Dims dims(2 + (c.inner != 1) + (c.outer != 1), 1), strides(dims.size(), c.cols);
  dims.back() = c.cols, strides.back() = 1;
  return dnn::Desc(dims, dnn::f32, strides);
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

void check(const Matrix& a, const Matrix& b, const Matrix& c, const MatmulOptions& options) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Exit::internal, text(a, b, c) + " is not defined: " + why);
  };
  if (a.rows != c.rows || b.cols != c.cols || a.cols != b.rows) refuse("the extents differ");
  if (a.outer != c.outer || b.outer != c.outer || a.inner != c.inner || b.inner != c.inner)
    refuse("the stacks differ");
  if (options.bias && options.scale != 1) refuse("a scaled product has no bias");
  if (options.accumulate &&
      (options.bias || options.scale != 1 || options.activation != Activation::none || a.cols == 0))
    refuse("what is added to c is a product alone");
  if (a.cols == 0 && (options.bias || options.activation != Activation::none))
    refuse("a product over nothing has neither bias nor activation");
}

bool rounds(const Matrix& a, const Matrix& b) {
  const auto numbers = [](const Matrix& m) {
    return static_cast<double>(m.rows * m.cols * m.outer * m.inner);
  };
  return dnn::Rounded::suits(a) && dnn::Rounded::suits(b) &&
         dnn::rounds(2 * numbers(a) * static_cast<double>(b.cols), numbers(a) + numbers(b));
}

}  // namespace

struct Matmul::Built {
  Matrix c;
  bool empty, over_nothing;  // does c have no element, a no column?
  bool bias;
  std::optional<dnn::Rounded> half_a, half_b;  // copies in bf16, if it pays
  dnn::Call call;

  Built(const Matrix& a, const Matrix& b, const Matrix& c, const MatmulOptions& options)
      : c(c),
        empty(c.rows * c.cols * c.outer * c.inner == 0),
        over_nothing(a.cols == 0),
        bias(options.bias) {
    if (empty || over_nothing) return;
    if (rounds(a, b)) half_a.emplace(a), half_b.emplace(b);
    const auto A = half_a ? layout(half_a->layout(), dnn::bf16) : layout(a);
    const auto B = half_b ? layout(half_b->layout(), dnn::bf16) : layout(b);
    const auto C = layout(c);
    const auto offset = bias ? bias_layout(c) : dnn::Desc();
    dnnl::primitive_attr attr = dnn::attributes(options.activation, options.slope, options.scale);
    if (options.accumulate) {
      dnnl::post_ops sum;
      sum.append_sum();
      attr.set_post_ops(sum);
    }
    const auto plan = dnn::matmul_plan(A, B, offset, C, attr);
    call.input(DNNL_ARG_SRC, A);
    call.input(DNNL_ARG_WEIGHTS, B);
    call.input(DNNL_ARG_DST, C);
    if (bias) call.input(DNNL_ARG_BIAS, offset);
    call.set(plan, dnnl::matmul(plan));
  }

  void multiply(const float* a, const float* b, float* c, const float* offset) {
    if (!half_a) return multiply_these(a, b, c, offset);
    dnn::Scratch memory({half_a->bytes(), half_b->bytes()});
    auto* A = static_cast<uint16_t*>(memory.part(half_a->bytes()));
    auto* B = static_cast<uint16_t*>(memory.part(half_b->bytes()));
    (*half_a)(a, A);
    (*half_b)(b, B);
    multiply_these(A, B, c, offset);
  }
  void multiply_these(const void* a, const void* b, float* c, const float* offset) {
    if (bias)
      call("a product", a, b, c, offset);
    else
      call("a product", a, b, c);
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
  built_ = dnn::build(text(a, b, c), [&] { return std::make_unique<Built>(a, b, c, options); });
}

void Matmul::operator()(const float* a, const float* b, float* c, const float* bias) const {
  if (!built_) throw Error(Exit::internal, "a product was called before it was built");
  Built& built = *built_;
  if (built.empty) return;
  if (built.over_nothing) return built.clear(c);
  built.multiply(a, b, c, bias);
}

}  // namespace weft
