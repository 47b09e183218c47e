// The members that a node declares beside its params: ports, saved values, weights and states. Each
// registers with its node; infer() gives it a shape, and the framework gives it memory.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "framework/node/shape.h"

namespace weft {

class Node;
struct Host;  // the framework's side of all this: host.h

// The rows [begin, end).
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

// How a weight or a state starts.
struct Init {
  enum class Kind { constant, uniform, normal } kind = Kind::constant;
  double value = 0;  // the constant; the bound of uniform(-value, value); the standard deviation
  static Init constant(double value) { return {Kind::constant, value}; }
  static Init uniform(double bound) { return {Kind::uniform, bound}; }
  static Init normal(double deviation) { return {Kind::normal, deviation}; }
};

struct PortTraits {
  DType dtype = DType::f32;
  bool any = false;       // numbers of either type, which are only copied: see words()
  bool grad = true;       // false: no gradient flows through this input
  bool optional = false;  // the user may leave it out
  // May a value stand here that all samples share, [1, ...], beside others of the batch? Without it
  // a node reads only values of the batch, or only shared ones.
  bool shared = false;
  // The name of another port that must not be wired to the same value: nothing is a mean and a
  // variance at once.
  const char* unlike = nullptr;
};

// An input port. In YAML, `name: other.port` wires it.
class WEFT_API In {
 public:
  In(Node* owner, const char* name, const char* doc, PortTraits traits = {});
  In(const In&) = delete;

  bool wired() const { return wired_; }
  const Shape& shape() const { return value_.shape; }
  int64_t rows() const { return value_.shape.rows(); }
  int64_t row_size() const { return value_.shape.row_elements(); }
  int64_t size() const { return value_.size(); }
  const float* data() const { return value_.floats(); }
  const int32_t* ints() const { return value_.ints(); }
  // Of either type, as they lie: to be copied, not computed with.
  const float* words() const { return static_cast<const float*>(value_.data); }
  DType dtype() const { return value_.dtype; }     // of the value that is wired, if it is `any`
  bool wants_grad() const { return wants_grad_; }  // does anything upstream learn?
  float* grad() const { return grad_.floats(); }   // backward() writes it whole
  const float* tangent() const { return tangent_.floats(); }  // in backward_twice(), learn_twice()
  // infer() calls it if neither backward() nor learn() reads these values: their memory may then be
  // another tensor's by that time.
  void forward_only() { kept_ = false; }

  const char* const name;
  const char* const doc;
  const PortTraits traits;

 private:
  friend struct Host;
  Tensor value_, grad_, tangent_;
  bool wired_ = false, wants_grad_ = false, kept_ = true;
};

// An input port that takes a list: `name: [a, b.port, …]`, at least one.
class WEFT_API Ins {
 public:
  Ins(Node* owner, const char* name, const char* doc, PortTraits traits = {});
  Ins(const Ins&) = delete;
  size_t size() const { return all_.size(); }
  const In& operator[](size_t i) const { return *all_[i]; }
  auto begin() const { return all_.begin(); }  // pointers to In
  auto end() const { return all_.end(); }
  void forward_only() {
    for (const auto& in : all_) in->forward_only();
  }

  const char* const name;
  const char* const doc;
  const PortTraits traits;

 private:
  friend struct Host;
  std::vector<std::unique_ptr<In>> all_;
};

// An output port.
class WEFT_API Out {
 public:
  Out(Node* owner, const char* name, const char* doc, DType dtype = DType::f32);
  // Of the type of an input that takes any, or of the first of a list.
  Out(Node* owner, const char* name, const char* doc, const In& like);
  Out(Node* owner, const char* name, const char* doc, const Ins& like);
  Out(const Out&) = delete;

  void shape(const Shape& shape);  // infer() must call it
  const Shape& shape() const { return value_.shape; }
  int64_t rows() const { return value_.shape.rows(); }
  int64_t row_size() const { return value_.shape.row_elements(); }
  int64_t size() const { return value_.size(); }
  float* data() const { return value_.floats(); }
  int32_t* ints() const { return value_.ints(); }
  float* words() const { return static_cast<float*>(value_.data); }
  DType dtype() const { return value_.dtype; }
  // The gradient, summed over all readers. backward() may overwrite it.
  float* grad() const { return grad_.floats(); }
  float* tangent() const { return tangent_.floats(); }  // backward_twice() writes it whole
  void forward_only() { kept_ = false; }                // as for an input
  // infer() calls it if forward() relies on what it left here in the turns before, of the loop
  // around the node.
  void lasts() { lasts_ = true; }
  // infer() calls it if all samples share the value: axis 0 is then 1, whatever the batch. So they
  // do in any case if the node reads shared values only.
  void share() { shared_ = true; }
  // Does anything read it? What of a source nothing reads, load() need not write.
  bool wanted() const { return wanted_; }

  const char* const name;
  const char* const doc;
  const size_t index;  // among the outputs of its node

 private:
  friend struct Host;
  Tensor value_, grad_, tangent_;
  const In* like_ = nullptr;
  const Ins* likes_ = nullptr;
  bool shaped_ = false, kept_ = true, lasts_ = false, wanted_ = true, shared_ = false;
};

// Values that forward() leaves for backward() and learn(), such as masks and means. They exist in
// training only.
class WEFT_API Saved {
 public:
  Saved(Node* owner, const char* name, const char* doc, DType dtype = DType::f32);
  Saved(const Saved&) = delete;

  // infer() calls it, or leaves the value absent. Axis 0 is the batch.
  void shape(const Shape& shape) { value_.shape = shape, present_ = true; }
  float* data() const { return value_.floats(); }
  int32_t* ints() const { return value_.ints(); }

  const char* const name;
  const char* const doc;
  const DType dtype;

 private:
  friend struct Host;
  Tensor value_;
  bool present_ = false;
};

// A tensor that a node learns. It is saved as "<module>.<node>.<name>" and shared by every use of
// its module.
class WEFT_API Weight {
 public:
  Weight(Node* owner, const char* name, const char* doc);
  Weight(const Weight&) = delete;

  void shape(const Shape& shape, Init init);  // infer() calls it, or leaves the weight absent
  // infer() calls it if the weight is to be seen divided by its spectral norm, that of a matrix of
  // its rows (Miyato et al. 2018): data() then is, and weft makes grad() that of the weight itself.
  void spectral_norm() { spectral_ = true; }
  const Shape& shape() const { return value_.shape; }
  bool present() const { return present_; }
  const Init& init() const { return init_; }
  const float* data() const { return value_.floats(); }
  bool wants_grad() const { return wants_grad_; }  // false if absent or frozen
  Range block() const { return block_; }           // in learn(): the rows of axis 0 to write
  float* grad() const { return grad_.floats(); }   // in learn(): those rows, to overwrite whole

  const char* const name;
  const char* const doc;

 private:
  friend struct Host;
  Tensor value_, grad_;
  Init init_;
  Range block_;
  bool present_ = false, wants_grad_ = false, spectral_ = false;
};

// A tensor that is kept and saved with the model, but does not learn: running means, a memory of
// samples, fixed frequencies. It is saved as "<module>.<node>.<name>" and shared by every use of
// its module. A node that sees the whole batch may write it in forward(), one that runs in lanes
// only in observe() and join().
class WEFT_API State {
 public:
  State(Node* owner, const char* name, const char* doc);
  State(const State&) = delete;

  void shape(const Shape& shape, Init init);  // infer() must call it
  const Shape& shape() const { return value_.shape; }
  const Init& init() const { return init_; }
  float* data() const { return value_.floats(); }

  const char* const name;
  const char* const doc;

 private:
  friend struct Host;
  Tensor value_;
  Init init_;
  bool shaped_ = false;
};

}  // namespace weft
