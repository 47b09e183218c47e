// Trials of a measure of a whole set.
#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/node/measure.h"
#include "framework/trial/compare.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

int64_t rows(const NodeCase& set) {
  return set.inputs.front().second.shape.rows();
}

// As many rows as asked for. What a set lacks is what no measure may see: stale labels, and NaN.
NodeCase padded(NodeCase set, int64_t rows) {
  for (auto& [name, array] : set.inputs) {
    array.shape = array.shape.with_front(rows);
    const auto size = static_cast<size_t>(array.shape.elements());
    if (array.dtype == DType::f32)
      array.floats.resize(size, std::numeric_limits<float>::quiet_NaN());
    else
      for (size_t i = 0; array.ints.size() < size; ++i) array.ints.push_back(array.ints[i]);
  }
  return set;
}

class Passes {
 public:
  Passes(Attempt& attempt, const NodeCase& set, int64_t batch) : attempt_(attempt), batch_(batch) {
    attempt.about(" for batches of " + std::to_string(batch));
    node_ = attempt.make(padded(set, batch), Mode::evaluate);
    attempt.stage("in prepare()");
    node_->prepare(Pass::forward);
  }

  double over(const NodeCase& set) {
    auto& measure = dynamic_cast<Measure&>(*node_);
    NodeCase whole = padded(set, (rows(set) + batch_ - 1) / batch_ * batch_);
    attempt_.stage("in begin()");
    measure.begin();
    attempt_.stage("in forward()");
    for (int64_t at = 0; at < rows(set); at += batch_) {
      for (In* in : node_->host().ins)
        for (auto& [name, array] : whole.inputs)
          if (name == in->name) Host::bind(*in, array.tensor().slice(at, at + batch_), {});
      node_->forward({at / batch_, std::min(batch_, rows(set) - at)});
    }
    attempt_.stage("in result()");
    return measure.result();
  }

 private:
  Attempt& attempt_;
  std::unique_ptr<Node> node_;
  int64_t batch_;
};

}  // namespace

void batches_of_a_measure(Attempt& attempt) {
  const NodeCase set = attempt.example();
  const double whole = Passes(attempt, set, rows(set)).over(set);
  if (!std::isfinite(whole)) attempt.fail("result() is " + number(whole));
  for (const int64_t batch : {int64_t{1}, int64_t{2}, rows(set) - 1, rows(set) + 3}) {
    const double cut = batch > 0 ? Passes(attempt, set, batch).over(set) : whole;
    if (!(std::abs(cut - whole) <= 1e-9 * std::abs(whole)))
      attempt.fail("result() is " + number(cut) + " in batches of " + std::to_string(batch) +
                   ", and " + number(whole) + " in one of " + std::to_string(rows(set)));
  }
}

void forgets(Attempt& attempt) {
  const NodeCase set = attempt.example(), other = attempt.example(1);
  Passes passes(attempt, set, 2), fresh(attempt, set, 2);
  passes.over(other);
  const double again = passes.over(set), once = fresh.over(set);
  if (again != once)
    attempt.fail("result() is " + number(again) + " after a pass over another set, and " +
                 number(once) + " without: begin() must forget");
}

}  // namespace weft::trial
