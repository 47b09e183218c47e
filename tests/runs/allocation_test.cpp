// A step that is warm allocates nothing, outside oneDNN and oneTBB's own pools. On one thread, so
// that none starts late.
#include <dlfcn.h>
#include <execinfo.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "framework/plan/build_plan.h"
#include "framework/run/engine.h"
#include "tests/support/lone_node.h"
#include "tests/support/tiny_runs.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT_SANITIZED
#endif

namespace {
std::atomic<bool> counting = false;
std::atomic<int> allocations = 0;

// oneDNN keeps the arguments of each call in a map of its own.
bool in_onednn() {
  std::array<void*, 16> frames{};
  const int depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  return std::any_of(frames.begin(), frames.begin() + depth, [](void* frame) {
    Dl_info info{};
    return dladdr(frame, &info) != 0 && std::strstr(info.dli_fname, "libdnnl") != nullptr;
  });
}

[[maybe_unused]] void note() {
  thread_local bool within = false;
  if (!counting.load(std::memory_order_relaxed) || within) return;
  within = true;
  if (!in_onednn()) ++allocations;
  within = false;
}
}  // namespace

#ifndef WEFT_SANITIZED  // in front of glibc's, for every library of this process
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t size) {
  note();
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  note();
  return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
  note();
  return __libc_realloc(old, size);
}
void* memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** to, size_t alignment, size_t size) {
  note();
  *to = __libc_memalign(alignment, size);
  return *to ? 0 : ENOMEM;
}
}
#endif

namespace weft::tests {
namespace {

class Allocations : public TinyRuns, public testing::WithParamInterface<Tiny> {
 protected:
  void SetUp() override {
#ifdef WEFT_SANITIZED
    GTEST_SKIP() << "a sanitizer allocates";
#endif
  }
};

TEST_P(Allocations, AreNoneInAStep) {
  std::filesystem::current_path(folder_.path());
  Mistakes mistakes;
  Pipeline pipeline = Pipeline::parse(GetParam().pipeline(), "it.yaml", {}, mistakes);
  const auto plan = build_plan(pipeline, standard_nodes(), Mode::train, {}, mistakes);
  mistakes.check();
  Weights model;
  model.add(*plan);
  Engine engine(*plan, standard_nodes(), model, {.threads = 1});
  int64_t step = 0;
  for (; step < 20; ++step) engine.step(step, step);
  allocations = 0, counting = true;
  for (; step < 40; ++step) engine.step(step, step);
  counting = false;
  EXPECT_EQ(allocations, 0) << "in 20 steps";
}

INSTANTIATE_TEST_SUITE_P(Runs, Allocations, testing::ValuesIn(tiny_pipelines),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace weft::tests
