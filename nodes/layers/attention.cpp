#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"
#include "framework/node/softmax.h"

namespace weft {
namespace {

// Sets the scores s, [rows, n], of keys that are not seen to `value`.
WEFT_SIMD void hide(const int32_t* __restrict keys, float value, int64_t rows, int64_t n,
                    float* __restrict s) {
  for (int64_t i = 0; i < rows; ++i, s += n)
    for (int64_t j = 0; j < n; ++j) s[j] = keys[j] < 0 ? value : s[j];
}

// The functions of one query, which read keys and values, [n, heads, size], once and in order. A
// head's scores, and its probabilities, lie `room` apart.

using Sixteen = float __attribute__((vector_size(64), aligned(4)));
using Eight = float __attribute__((vector_size(32)));

// s = scale q kᵀ, [heads, n]; of four keys at a time, whose sums of 16 are added up together.
WEFT_SIMD void dots(const float* __restrict q, const float* __restrict k, int64_t n, int64_t heads,
                    int64_t size, float scale, float* __restrict s, int64_t room) {
  const int64_t d = heads * size, whole = size - size % 16;
  int64_t i = 0;
  for (; i + 4 <= n; i += 4, k += 4 * d)
    for (int64_t h = 0, at = 0; h < heads; ++h, at += size) {
      Sixteen a[4] = {};
      for (int64_t j = at; j < at + whole; j += 16)
        for (int64_t r = 0; r < 4; ++r)
          a[r] += *reinterpret_cast<const Sixteen*>(q + j) *
                  *reinterpret_cast<const Sixteen*>(k + r * d + j);
      Eight b[4];
      for (int64_t r = 0; r < 4; ++r)
        b[r] = __builtin_shufflevector(a[r], a[r], 0, 1, 2, 3, 4, 5, 6, 7) +
               __builtin_shufflevector(a[r], a[r], 8, 9, 10, 11, 12, 13, 14, 15);
      for (int64_t r = 0; r < 4; r += 2)
        b[r] = __builtin_shufflevector(b[r], b[r + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
               __builtin_shufflevector(b[r], b[r + 1], 1, 9, 3, 11, 5, 13, 7, 15);
      const Eight c = __builtin_shufflevector(b[0], b[2], 0, 1, 8, 9, 4, 5, 12, 13) +
                      __builtin_shufflevector(b[0], b[2], 2, 3, 10, 11, 6, 7, 14, 15);
      float* const to = s + h * room + i;
      for (int64_t r = 0; r < 4; ++r) to[r] = scale * (c[r] + c[r + 4]);
      for (int64_t j = at + whole; j < at + size; ++j)
        for (int64_t r = 0; r < 4; ++r) to[r] += scale * q[j] * k[r * d + j];
    }
  for (; i < n; ++i, k += d)
    for (int64_t h = 0, at = 0; h < heads; ++h, at += size) {
      float sum = 0;
      WEFT_SUM(sum)
      for (int64_t j = at; j < at + size; ++j) sum += q[j] * k[j];
      s[h * room + i] = scale * sum;
    }
}

// y = p v, [heads, size].
WEFT_SIMD void mixed(const float* __restrict p, int64_t room, const float* __restrict v, int64_t n,
                     int64_t heads, int64_t size, float* __restrict y) {
  const int64_t d = heads * size;
  for (int64_t j = 0; j < d; ++j) y[j] = 0;
  int64_t i = 0;
  for (; i + 4 <= n; i += 4, v += 4 * d)
    for (int64_t h = 0; h < heads; ++h) {
      const float* const w = p + h * room + i;
      const float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
      for (int64_t j = h * size; j < (h + 1) * size; ++j)
        y[j] += w0 * v[j] + w1 * v[d + j] + w2 * v[2 * d + j] + w3 * v[3 * d + j];
    }
  for (; i < n; ++i, v += d)
    for (int64_t h = 0; h < heads; ++h) {
      const float w0 = p[h * room + i];
      for (int64_t j = h * size; j < (h + 1) * size; ++j) y[j] += w0 * v[j];
    }
}

class Attention final : public Node {
  In q{this, "q", "Queries, [batch, tq, d]."};
  In k{this, "k", "Keys, [batch, tk, d]."};
  In v{this, "v", "Values, [batch, tk, d]."};
  In keys{this,
          "keys",
          "What the keys stand for, [batch, tk], such as tokens: those below 0 are not seen.",
          {.dtype = DType::i32, .grad = false, .optional = true}};
  In length{
      this,
      "length",
      "How many keys there are so far, [batch], the `length` of a `history`; all tk, if it is "
      "not wired.",
      {.grad = false, .optional = true}};
  Out y{this, "y", "[batch, tq, d]"};
  Param<int64_t> heads{this, "heads", "The last axis is cut into that many heads.", 1,
                       within(1, 1 << 16)};
  Param<bool> causal{
      this, "causal",
      "A query sees the keys up to its own position only; the last query stands at the last key.",
      false};
  Saved p{this, "p", "Probabilities, [batch, heads, tq, tk]."};

  // A rectangle of the scores that is multiplied at once. What is like q, k or p (a product's
  // operands and its result are) begins there at some offset.
  struct Part {
    int64_t query, queries, key, keys;
  };
  enum class Like { q, k, p };
  struct Product {
    Like a, b, c;
    std::vector<std::pair<Part, Matmul>> parts;
  };
  Product scores_, mix_, grad_p_, grad_q_, grad_k_, grad_v_;  // for `few` samples
  // [few, heads, tq, tk]: the scores outside training, the gradients of scores in backward().
  std::vector<float> scratch_;

  int64_t tq() const { return q.shape()[1]; }
  int64_t tk() const { return k.shape()[1]; }
  int64_t d() const { return q.shape()[2]; }
  int64_t scores() const { return *heads * tq() * tk(); }  // scores of one sample
  int64_t few() const {  // how many samples' scores stay in the cache from product to product
    int64_t n = std::clamp<int64_t>(32768 / std::max<int64_t>(scores(), 1), 1,
                                    std::max<int64_t>(q.rows(), 1));
    while (q.rows() % n != 0) --n;
    return n;
  }

  void infer() override {
    const Shape &Q = q.shape(), &K = k.shape(), &V = v.shape();
    const std::string given =
        "`q` is " + Q.str() + ", `k` is " + K.str() + ", `v` is " + V.str() + ", but ";
    if (Q.rank() != 3 || K.rank() != 3 || V != K || Q[0] != K[0] || Q[2] != K[2])
      throw Error(given + "must be [batch, tq, d], [batch, tk, d] and [batch, tk, d]");
    if (tk() == 0 || d() == 0) throw Error(given + "there is nothing to attend to");
    if (d() % *heads != 0)
      throw Error("the last axis, " + std::to_string(d()) + ", cannot be cut into " +
                  std::to_string(*heads) + " heads");
    if (keys.wired() && keys.shape() != Shape{Q[0], tk()})
      throw Error(given + "`keys` is " + keys.shape().str() + " instead of [batch, tk]");
    if (length.wired() && length.shape() != Shape{Q[0]})
      throw Error(given + "`length` is " + length.shape().str() + " instead of [batch]");
    if (*causal && tq() != tk() && !length.wired())
      throw Error(given + "`causal` needs as many keys as queries, or `length`");
    y.shape(Q);
    y.forward_only();
    p.shape({Q[0], *heads, tq(), tk()});
  }

  // Of a causal product, what is hidden behind the last query of a part, or before the first key
  // of one, is left out: parts by rows of the scores, or by columns.
  int64_t part() const { return *causal && tq() == tk() ? 64 : std::max(tq(), tk()); }
  std::vector<Part> by_rows() const {
    std::vector<Part> parts;
    for (int64_t i = 0; i < tq(); i += part())
      parts.push_back({i, std::min(part(), tq() - i), 0, std::min(tk(), i + part())});
    return parts;
  }
  std::vector<Part> by_columns() const {
    std::vector<Part> parts;
    for (int64_t j = 0; j < tk(); j += part())
      parts.push_back({j, tq() - j, j, std::min(part(), tk() - j)});
    return parts;
  }

  // How many scores of query i are computed.
  int64_t multiplied(int64_t i) const { return std::min(tk(), (i / part() + 1) * part()); }

  // A stack of [few, heads] matrices, and where a part of them begins.
  Matrix matrix(Like like, const Part& of) const {
    const int64_t size = d() / *heads;
    if (like == Like::p)
      return {of.queries, of.keys, tk(), 1, few(), scores(), *heads, tq() * tk()};
    const bool is_q = like == Like::q;
    return {is_q ? of.queries : of.keys, size,   d(), 1, few(),
            (is_q ? tq() : tk()) * d(),  *heads, size};
  }
  int64_t offset(Like like, const Part& of) const {
    return like == Like::p   ? of.query * tk() + of.key
           : like == Like::q ? of.query * d()
                             : of.key * d();
  }

  // c = scale a b, where b = kᵀ if c is like p, and a = pᵀ if c is like k.
  Product product(Like a, Like b, Like c, float scale) const {
    Product all{a, b, c, {}};
    for (const Part& of : c == Like::k ? by_columns() : by_rows()) {
      const Matrix A = matrix(a, of), B = matrix(b, of);
      all.parts.emplace_back(of, Matmul(c == Like::k ? A.t() : A, c == Like::p ? B.t() : B,
                                        matrix(c, of), {.scale = scale}));
    }
    return all;
  }
  void multiply(const Product& all, const float* a, const float* b, float* c) const {
    for (const auto& [of, matmul] : all.parts)
      matmul(a + offset(all.a, of), b + offset(all.b, of), c + offset(all.c, of));
  }

  void prepare(Pass pass) override {
    const int64_t size = d() / *heads;
    const float scale = 1 / std::sqrt(static_cast<float>(size));
    if (pass == Pass::forward) {
      scores_ = product(Like::q, Like::k, Like::p, scale);
      mix_ = product(Like::p, Like::k, Like::q, 1);
      if (!training()) scratch_.resize(few() * scores());
    }
    if (pass == Pass::backward) {
      grad_p_ = product(Like::q, Like::k, Like::p, 1);
      grad_q_ = product(Like::p, Like::k, Like::q, scale);
      grad_k_ = product(Like::p, Like::q, Like::k, scale);
      grad_v_ = product(Like::p, Like::q, Like::k, 1);
      scratch_.resize(few() * scores());
    }
  }

  // Calls f(first sample, its offset in q and y, in k and v, in p) for `few` samples at a time.
  template <class F>
  void each_few(F f) const {
    for (int64_t i = 0; i < q.rows(); i += few())
      f(i, i * tq() * d(), i * tk() * d(), i * scores());
  }
  int64_t score_rows() const { return few() * *heads * tq(); }

  void set_hidden(int64_t sample, float* s, float value) const {
    for (int64_t i = 0; i < few(); ++i)
      hide(keys.ints() + (sample + i) * tk(), value, *heads * tq(), tk(), s + i * scores());
  }

  // How many keys there are for a sample, and how many of them its query i sees.
  int64_t keys_of(int64_t sample) const {
    if (!length.wired()) return tk();
    return std::clamp<int64_t>(std::llrint(length.data()[sample]), 1, tk());
  }
  int64_t seen(int64_t sample, int64_t i) const {
    const int64_t all = keys_of(sample);
    return *causal ? std::clamp<int64_t>(all - tq() + i + 1, 1, all) : all;
  }

  // One query of each sample, and only the keys that there are: a step of decoding.
  void decode() {
    const int64_t size = d() / *heads;
    const float scale = 1 / std::sqrt(static_cast<float>(size));
    float* const s = scratch_.data();  // [heads, tk]
    for (int64_t sample = 0; sample < q.rows(); ++sample) {
      const int64_t n = keys_of(sample), first = sample * tk();
      dots(q.data() + sample * d(), k.data() + first * d(), n, *heads, size, scale, s, tk());
      if (keys.wired()) hide(keys.ints() + first, -1e30F, *heads, tk(), s);
      for (int64_t h = 0; h < *heads; ++h) softmax(s + h * tk(), n);
      mixed(s, tk(), v.data() + first * d(), n, *heads, size, y.data() + sample * d());
    }
  }

  void forward(const Step&) override {  // Vaswani et al. 2017, eq. 1
    if (tq() == 1 && !training()) return decode();
    each_few([&](int64_t sample, int64_t at_q, int64_t at_k, int64_t at_p) {
      float* s = training() ? p.data() + at_p : scratch_.data();  // [few, heads, tq, tk]
      multiply(scores_, q.data() + at_q, k.data() + at_k, s);
      if (keys.wired()) set_hidden(sample, s, -1e30F);
      for (int64_t i = 0; i < score_rows(); ++i) {
        const int64_t n = seen(sample + i / (*heads * tq()), i % tq());
        softmax(s + i * tk(), n);
        std::fill_n(s + i * tk() + n, tk() - n, 0.0F);
      }
      multiply(mix_, s, v.data() + at_k, y.data() + at_q);
    });
  }

  void backward(const Step&) override {
    each_few([&](int64_t sample, int64_t at_q, int64_t at_k, int64_t at_p) {
      const float* P = p.data() + at_p;  // [few, heads, tq, tk]
      float* grad = scratch_.data();     // [few, heads, tq, tk]
      if (v.wants_grad()) multiply(grad_v_, P, y.grad() + at_q, v.grad() + at_k);
      if (!q.wants_grad() && !k.wants_grad()) return;
      multiply(grad_p_, y.grad() + at_q, v.data() + at_k, grad);
      for (int64_t i = 0; i < score_rows(); ++i)
        softmax_backward(P + i * tk(), grad + i * tk(), multiplied(i % tq()));
      if (keys.wired()) set_hidden(sample, grad, 0);
      if (q.wants_grad()) multiply(grad_q_, grad, k.data() + at_k, q.grad() + at_q);
      if (k.wants_grad()) multiply(grad_k_, grad, q.data() + at_q, k.grad() + at_k);
    });
  }

  double flops() const override {
    double scores = 0;
    for (const Part& of : by_rows()) scores += static_cast<double>(of.queries * of.keys);
    return 4 * scores * static_cast<double>(q.rows() * d());
  }
};

WEFT_NODE(Attention, "attention",
          "softmax(q kᵀ / sqrt(d)) v in several heads, without weights (Vaswani et al. 2017).",
          "{q: [4, 3, 6], k: [4, 5, 6], v: [4, 5, 6], length: {shape: [4], above: 3}, heads: 2, "
          "causal: true}")

}  // namespace
}  // namespace weft
