// The nodes that stand before and behind others that run for items of axis 1 of a value: for each,
// or turn by turn.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/node/node.h"

namespace weft {

// The base of those that leave the numbers as they lie.
class Regrouped : public Node {
 public:
  void forward(const Step& step) final;
  void backward(const Step& step) final;
  Twice twice() const final { return Twice::linear; }

 protected:
  In x{this, "x", "[batch, n, ...] or [batch · n, ...]", {.any = true}};
  Out y{this, "y", "The other of the two.", x};
};

// Makes rows of the items: [batch, n, ...] -> [batch · n, ...].
class Items final : public Regrouped {
 public:
  void infer() override;
};

// Makes items of the rows: [batch · n, ...] -> [batch, n, ...].
class Samples final : public Regrouped {
 public:
  explicit Samples(int64_t n) : n_(n) {}
  void infer() override;

 private:
  const int64_t n_;
};

// Gives each item of a sample what the sample has: [batch, ...] -> [batch · n, ...].
class Repeated final : public Node {
 public:
  explicit Repeated(int64_t n);
  void infer() override;
  void forward(const Step& step) override;
  void backward(const Step& step) override;
  Twice twice() const override { return Twice::linear; }

 private:
  const int64_t n_;
  In x{this, "x", "[batch, ...]", {.any = true}};
  Out y{this, "y", "[batch · n, ...]", x};
};

// Takes the items apart: [batch, n, ...] -> n times [batch, ...].
class Apart final : public Node {
 public:
  explicit Apart(int64_t n);
  void infer() override;
  void forward(const Step& step) override;
  void backward(const Step& step) override;
  Twice twice() const override { return Twice::linear; }

 private:
  In x{this, "x", "[batch, n, ...]", {.any = true}};
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Out>> ys_;
};

// Puts items together: n times [batch, ...] -> [batch, n, ...].
class Together final : public Node {
 public:
  explicit Together(size_t n);
  void infer() override;
  void forward(const Step& step) override;
  void backward(const Step& step) override;
  Twice twice() const override { return Twice::linear; }

 private:
  std::vector<std::unique_ptr<In>> xs_;
  std::unique_ptr<Out> y_;
};

// A number for each sample.
class Filled final : public Node {
 public:
  explicit Filled(float number) : number_(number) {}
  void infer() override;
  void forward(const Step& step) override;

 private:
  const float number_;
  In like{this, "like", "[batch, ...]", {.any = true, .grad = false}};
  Out y{this, "y", "[batch]"};
};

}  // namespace weft
