#include <algorithm>
#include <cmath>

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

// s = scale q kᵀ, of one query, [size], and n keys, which lie `stride` apart.
WEFT_SIMD void dots(const float* __restrict q, const float* __restrict k, int64_t n, int64_t stride,
                    int64_t size, float scale, float* __restrict s) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4, k += 4 * stride) {
    float a = 0, b = 0, c = 0, d = 0;
    WEFT_PRAGMA(omp simd reduction(+ : a, b, c, d))
    for (int64_t j = 0; j < size; ++j) {
      a += q[j] * k[j];
      b += q[j] * k[stride + j];
      c += q[j] * k[2 * stride + j];
      d += q[j] * k[3 * stride + j];
    }
    s[i] = scale * a, s[i + 1] = scale * b, s[i + 2] = scale * c, s[i + 3] = scale * d;
  }
  for (; i < n; ++i, k += stride) {
    float sum = 0;
    WEFT_SUM(sum)
    for (int64_t j = 0; j < size; ++j) sum += q[j] * k[j];
    s[i] = scale * sum;
  }
}

// y = p v, [size], of n values, which lie `stride` apart.
WEFT_SIMD void mixed(const float* __restrict p, const float* __restrict v, int64_t n,
                     int64_t stride, int64_t size, float* __restrict y) {
  for (int64_t j = 0; j < size; ++j) y[j] = 0;
  int64_t i = 0;
  for (; i + 4 <= n; i += 4, v += 4 * stride)
    for (int64_t j = 0; j < size; ++j)
      y[j] += p[i] * v[j] + p[i + 1] * v[stride + j] + p[i + 2] * v[2 * stride + j] +
              p[i + 3] * v[3 * stride + j];
  for (; i < n; ++i, v += stride)
    for (int64_t j = 0; j < size; ++j) y[j] += p[i] * v[j];
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

  Matmul scores_, mix_, grad_p_, grad_q_, grad_k_, grad_v_;  // for `few` samples
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

  // [few, t, d] as a stack of [few, heads] matrices, each [t, d / heads].
  Matrix split(int64_t t) const {
    const int64_t size = d() / *heads;
    return {t, size, d(), 1, few(), t * d(), *heads, size};
  }

  void prepare(Pass pass) override {
    const Matrix Q = split(tq()), K = split(tk());
    const Matrix S{tq(), tk(), tk(), 1, few(), scores(), *heads, tq() * tk()};
    const int64_t features = d() / *heads;
    const MatmulOptions scaled{.scale = 1 / std::sqrt(static_cast<float>(features))};
    if (pass == Pass::forward) {
      scores_ = Matmul(Q, K.t(), S, scaled);  // [few, heads, tq, tk]
      mix_ = Matmul(S, K, Q);                 // [few, tq, d]
      if (!training()) scratch_.resize(std::max(few() * scores(), tk()));
    }
    if (pass == Pass::backward) {
      grad_p_ = Matmul(Q, K.t(), S);          // [few, heads, tq, tk]
      grad_q_ = Matmul(S, K, Q, scaled);      // [few, tq, d]
      grad_k_ = Matmul(S.t(), Q, K, scaled);  // [few, tk, d]
      grad_v_ = Matmul(S.t(), Q, K);          // [few, tk, d]
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
    float* const s = scratch_.data();  // [tk]
    for (int64_t sample = 0; sample < q.rows(); ++sample)
      for (int64_t at = 0, n = keys_of(sample); at < d(); at += size) {
        const int64_t first = sample * tk() * d() + at;
        dots(q.data() + sample * d() + at, k.data() + first, n, d(), size, scale, s);
        if (keys.wired()) hide(keys.ints() + sample * tk(), -1e30F, 1, n, s);
        softmax(s, n);
        mixed(s, v.data() + first, n, d(), size, y.data() + sample * d() + at);
      }
  }

  void forward(const Step&) override {  // Vaswani et al. 2017, eq. 1
    if (tq() == 1 && !training()) return decode();
    each_few([&](int64_t sample, int64_t at_q, int64_t at_k, int64_t at_p) {
      float* s = training() ? p.data() + at_p : scratch_.data();  // [few, heads, tq, tk]
      scores_(q.data() + at_q, k.data() + at_k, s);
      if (keys.wired()) set_hidden(sample, s, -1e30F);
      for (int64_t i = 0; i < score_rows(); ++i) {
        const int64_t n = seen(sample + i / (*heads * tq()), i % tq());
        softmax(s + i * tk(), n);
        std::fill_n(s + i * tk() + n, tk() - n, 0.0F);
      }
      mix_(s, v.data() + at_k, y.data() + at_q);
    });
  }

  void backward(const Step&) override {
    each_few([&](int64_t sample, int64_t at_q, int64_t at_k, int64_t at_p) {
      const float* P = p.data() + at_p;  // [few, heads, tq, tk]
      float* grad = scratch_.data();     // [few, heads, tq, tk]
      if (v.wants_grad()) grad_v_(P, y.grad() + at_q, v.grad() + at_k);
      if (!q.wants_grad() && !k.wants_grad()) return;
      grad_p_(y.grad() + at_q, v.data() + at_k, grad);
      for (int64_t i = 0; i < score_rows(); ++i)
        softmax_backward(P + i * tk(), grad + i * tk(), tk());
      if (keys.wired()) set_hidden(sample, grad, 0);
      if (q.wants_grad()) grad_q_(grad, k.data() + at_k, q.grad() + at_q);
      if (k.wants_grad()) grad_k_(grad, q.data() + at_q, k.grad() + at_k);
    });
  }

  double flops() const override { return 4.0 * static_cast<double>(q.size() * tk()); }
};

WEFT_NODE(Attention, "attention",
          "softmax(q kᵀ / sqrt(d)) v in several heads, without weights (Vaswani et al. 2017).",
          "{q: [4, 3, 6], k: [4, 5, 6], v: [4, 5, 6], length: {shape: [4], above: 3}, heads: 2, "
          "causal: true}")

}  // namespace
}  // namespace weft
