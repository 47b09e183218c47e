// The two nodes that stand before and behind the body of a loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/node/node.h"

namespace weft {

// What a loop hands on.
struct LoopPorts {
  struct Port {
    std::string name;
    DType dtype = DType::f32;
  };
  int64_t times = 1;
  std::vector<Port> carried, collected;
  std::vector<std::pair<std::string, std::vector<float>>> over;  // by turn
  std::vector<Port> items;  // of a value: its items of axis 1, by turn
  bool until = false;
};

// Gives a turn what it carries in, the first one from its inputs, and its numbers.
class LoopBegin final : public Node {
 public:
  explicit LoopBegin(std::shared_ptr<const LoopPorts> ports);
  void infer() override;
  void forward(const Step& step) override;

 private:
  std::shared_ptr<const LoopPorts> ports_;
  std::vector<std::unique_ptr<In>> carried_, all_;
  std::vector<std::unique_ptr<Out>> to_, over_, item_;
};

// Keeps what a turn gave, of the rows that are not done.
class LoopEnd final : public Node {
 public:
  explicit LoopEnd(std::shared_ptr<const LoopPorts> ports);
  void infer() override;
  void prepare(Pass pass) override;
  void forward(const Step& step) override;

  int64_t times() const { return ports_->times; }
  // Is there nothing left to do after the turn that ended last?
  bool finished() const { return finished_; }

 private:
  void keep(int64_t row, int64_t turn);

  std::shared_ptr<const LoopPorts> ports_;
  std::vector<std::unique_ptr<In>> carried_, collected_;
  std::unique_ptr<In> until_;
  std::vector<std::unique_ptr<Out>> last_, all_;
  std::vector<char> done_;  // by row
  bool finished_ = false;
};

}  // namespace weft
