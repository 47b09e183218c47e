// A node whose constructor crashes.
#include <csignal>

#include "framework/node/plugin.h"

namespace weft {
namespace {

struct Crasher final : Node {
  Crasher() { std::raise(SIGSEGV); }
  void infer() override {}
  void forward(const Step&) override {}
};

WEFT_NODE(Crasher, "crasher", "Crashes when it is made.", "{}")

}  // namespace
}  // namespace weft
