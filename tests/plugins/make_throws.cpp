// A node whose constructor throws.
#include <stdexcept>

#include "framework/node/plugin.h"

namespace weft {
namespace {

struct Thrower final : Node {
  Thrower() { throw std::runtime_error("the table is empty"); }
  void infer() override {}
  void forward(const Step&) override {}
};

WEFT_NODE(Thrower, "thrower", "Throws when it is made.", "{}")

}  // namespace
}  // namespace weft
