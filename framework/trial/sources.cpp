// Trials of a source.
#include "framework/node/source.h"

#include <algorithm>
#include <exception>
#include <thread>

#include "framework/run/reader.h"
#include "framework/trial/compare.h"
#include "framework/trial/growth.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

using Rows = std::vector<Array>;  // by output

// Some of the samples, the first and the last among them.
std::vector<int64_t> chosen(const Source& source, int64_t most = 6) {
  std::vector<int64_t> some;
  const int64_t count = std::min(source.samples(), most), last = source.samples() - 1;
  for (int64_t i = 0; i < count; ++i) some.push_back(count > 1 ? last * i / (count - 1) : 0);
  return some;
}

class Opened {
 public:
  explicit Opened(Attempt& attempt) : Opened(attempt, attempt.example()) {}
  Opened(Attempt& attempt, const NodeCase& node)
      : attempt_(attempt),
        node_(make_node(attempt.kind, node, {.random_key = 41 + attempt.seed}, attempt.stage)) {}

  const Source& operator*() const { return dynamic_cast<const Source&>(*node_); }
  const Source* operator->() const { return &**this; }

  // So many rows of each output, never written.
  Rows rows(int64_t count) const {
    Rows all;
    for (const Out* out : node_->host().outs)
      all.emplace_back(out->shape().with_front(count), out->dtype());
    return all;
  }

  void load(int64_t sample, Rows& to, int64_t row) const {
    std::vector<Tensor> tensors;
    for (Array& array : to) tensors.push_back(array.tensor());
    (*this)->load(sample, {tensors.data(), row});
  }

  // These samples, each in the middle one of three rows.
  std::vector<Rows> load(const std::vector<int64_t>& samples) const {
    attempt_.stage("in load()");
    std::vector<Rows> all;
    for (const int64_t sample : samples) load(sample, all.emplace_back(rows(3)), 1);
    return all;
  }

  const std::vector<Fit*>& fits() const { return node_->host().fits; }
  std::string name(size_t output) const {
    return "`" + std::string(node_->host().outs[output]->name) + "`";
  }

 private:
  Attempt& attempt_;
  std::unique_ptr<Node> node_;
};

Array row_of(const Array& array, int64_t row) {
  Array one(array.shape.with_front(1), array.dtype);
  const int64_t size = array.shape.row_elements();
  if (array.dtype == DType::f32)
    std::copy_n(array.floats.begin() + row * size, size, one.floats.begin());
  else
    std::copy_n(array.ints.begin() + row * size, size, one.ints.begin());
  return one;
}

bool untouched(const Array& row) {
  const auto is = [](auto number) { return unwritten(number); };
  return std::ranges::all_of(row.floats, is) && std::ranges::all_of(row.ints, is);
}

std::string of_sample(const std::string& output, int64_t sample) {
  return output + " of sample " + std::to_string(sample);
}

// Says where a sample is not what it was.
void expect_equal(Attempt& attempt, const Opened& source, const std::vector<int64_t>& samples,
                  const std::vector<Rows>& got, const std::vector<Rows>& expected,
                  const std::string& when) {
  for (size_t i = 0; i < samples.size(); ++i)
    for (size_t out = 0; out < got[i].size(); ++out)
      if (const std::string complaint =
              difference(row_of(got[i][out], 1), row_of(expected[i][out], 1));
          !complaint.empty())
        return attempt.fail(of_sample(source.name(out), samples[i]) + " " + complaint +
                            " as before: " + when);
}

bool all_same(const std::vector<Rows>& a, const std::vector<Rows>& b) {
  return std::ranges::equal(a, b, [](const Rows& one, const Rows& other) {
    return std::ranges::equal(one, other, same_bits);
  });
}

NodeCase with(NodeCase node, const std::string& param, const std::string& value) {
  node.params.put(param, Yaml::scalar(value, {}));
  return node;
}

// The rows of a step, as the framework reads them.
Rows read(const Opened& source, int64_t step) {
  Reader reader(*source, SampleOrder(*source), false);
  Rows batch = source.rows(*source->batch);
  for (size_t i = 0; i < batch.size(); ++i)
    Host::bind(*reader.host().outs[i], batch[i].tensor(), {});
  reader.forward({step, *source->batch});
  return batch;
}

void look_at_step(Attempt& attempt, const Opened& source, int64_t step, const std::string& how) {
  attempt.stage("in load()");
  const SampleOrder order(*source);
  const Rows batch = read(source, step);
  for (int64_t row = 0; row < order.rows(step); ++row) {
    const int64_t sample = order.sample(step, row, false);
    const Rows alone = source.load({sample}).front();
    for (size_t out = 0; out < batch.size(); ++out) {
      const std::string complaint = difference(row_of(batch[out], row), row_of(alone[out], 1));
      if (complaint.empty()) continue;
      const bool repeats = same_bits(source.load({sample}).front()[out], alone[out]);
      if (repeats)  // else samples() tells
        attempt.fail(of_sample(source.name(out), sample) + " " + how + " " + complaint);
    }
  }
}

}  // namespace

void opens(Attempt& attempt) {
  const Opened source(attempt);
  for (const int64_t sample : chosen(*source)) {
    const Rows rows = source.load({sample}).front();
    for (size_t out = 0; out < rows.size(); ++out) {
      attempt.expect(of_sample(source.name(out), sample), unfinished(row_of(rows[out], 1)));
      if (!untouched(row_of(rows[out], 0)) || !untouched(row_of(rows[out], 2)))
        attempt.fail("load() writes " + source.name(out) + " beyond its row");
    }
  }
}

void samples(Attempt& attempt) {
  const Opened source(attempt), other(attempt);
  std::vector<int64_t> some = chosen(*source);
  std::vector<Rows> expected = source.load(some);
  expect_equal(attempt, source, some, source.load(some), expected, "loaded again");
  std::ranges::reverse(some), std::ranges::reverse(expected);
  expect_equal(attempt, source, some, other.load(some), expected, "opened again, the last first");
  std::vector<std::vector<Rows>> got(4);
  std::vector<std::thread> threads;
  threads.reserve(got.size());
  for (std::vector<Rows>& rows : got)
    threads.emplace_back([&] {
      for (const int64_t sample : some) source.load(sample, rows.emplace_back(source.rows(3)), 1);
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<Rows>& rows : got)
    expect_equal(attempt, source, some, rows, expected, "loaded by four threads at once");
}

void batches_of_a_source(Attempt& attempt) {
  const int64_t count = Opened(attempt)->samples();
  const int64_t batch = count % 3 ? std::min<int64_t>(count, 3) : 2;
  const NodeCase node = with(attempt.example(), "batch", std::to_string(batch));
  for (const char* both : {"false", "true"}) {
    const std::string how = std::string("with shuffle and drop_last ") + both;
    attempt.about(" " + how);
    const Opened source(attempt, with(with(node, "shuffle", both), "drop_last", both));
    if (source->samples() != count)
      attempt.fail("open() counts " + std::to_string(source->samples()) + " samples " + how +
                   ", and else " + std::to_string(count));
    look_at_step(attempt, source, 0, how);
    look_at_step(attempt, source, SampleOrder(*source).batches() - 1, how);
  }
}

// What it learned is given to it, as evaluation gives it, then what nobody learned so.
void fits(Attempt& attempt) {
  const Opened source(attempt);
  NodeCase given = attempt.example();
  for (const Fit* fit : source.fits())
    if (fit->bytes()) given.fitted[fit->name()] = *fit->bytes();
  if (given.fitted.empty()) return;
  attempt.about(" where what it learned is given");
  const Opened again(attempt, given);
  const std::vector<int64_t> some = chosen(*source);
  expect_equal(attempt, again, some, again.load(some), source.load(some),
               "given what it had learned");
  attempt.about(" where other bytes than it learned are given");
  const auto same = [&](const NodeCase& other) {
    try {
      const Opened strange(attempt, other);
      for (const Fit* fit : strange.fits())
        if (!Host::complaint(*fit).empty()) return false;
      return all_same(strange.load(chosen(*strange)), source.load(some));
    } catch (const std::exception&) {  // it may refuse them
      return false;
    }
  };
  for (const auto& [name, bytes] : given.fitted) {
    bool heeded = bytes.empty();  // then it learned nothing
    for (const std::string& strange :
         {std::string(), bytes + bytes, bytes.substr(bytes.size() / 2)}) {
      NodeCase other = given;
      other.fitted[name] = strange;
      heeded = !same(other) || heeded;
    }
    if (!heeded)
      attempt.fail("the samples are the same whatever the " + name +
                   " are: what known() returns must be used");
  }
}

void memory_of_a_source(Attempt& attempt) {
  const Opened source(attempt);
  const std::vector<int64_t> some = chosen(*source, 4);
  source.load(some);
  Rows rows = source.rows(1);
  attempt.stage("in load()");
  attempt.expect("memory", growth([&](int64_t i) {
                   source.load(some[static_cast<size_t>(i) % some.size()], rows, 0);
                 }));
}

}  // namespace weft::trial
