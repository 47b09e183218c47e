// What a container leaves of its machine, from files as the kernel writes them.
#include "framework/plan/machine_limits.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "tests/support/temporary_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class Limits : public testing::Test {
 protected:
  void file(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root() const { return root_ / ""; }

  const TemporaryDirectory root_;
  const size_t machine_ = memory_limit(root());  // there is no group yet
};

TEST_F(Limits, OfVersion2AreThoseOfAllGroupsAbove) {
  file("proc/self/cgroup", "0::/user/app\n");
  file("sys/fs/cgroup/user/app/memory.max", "max\n");
  EXPECT_EQ(memory_limit(root()), machine_);
  file("sys/fs/cgroup/user/memory.max", "1048576\n");
  EXPECT_EQ(memory_limit(root()), 1048576U);
  file("sys/fs/cgroup/user/app/memory.max", "524288\n");
  EXPECT_EQ(memory_limit(root()), 524288U);
  file("sys/fs/cgroup/user/app/memory.max", "2097152\n");  // more than the group above has
  EXPECT_EQ(memory_limit(root()), 1048576U);
  file("sys/fs/cgroup/user/app/cpu.max", "150000 100000\n");
  EXPECT_EQ(group_limit("cpu.max", root()), "150000 100000");
  EXPECT_EQ(group_limit("io.max", root()), "");
}

// In a container of its own namespace the group is the tree's root.
TEST_F(Limits, OfAContainerStandAtTheRoot) {
  file("proc/self/cgroup", "0::/\n");
  file("sys/fs/cgroup/memory.max", "2097152\n");
  EXPECT_EQ(memory_limit(root()), 2097152U);
}

TEST_F(Limits, OfVersion1StandInTheTreeOfMemory) {
  file("proc/self/cgroup", "5:cpu,cpuacct:/other\n4:memory:/docker/one\n0::/\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(memory_limit(root()), machine_);
  file("sys/fs/cgroup/memory/docker/one/memory.limit_in_bytes", "4194304\n");
  EXPECT_EQ(memory_limit(root()), 4194304U);
}

TEST_F(Limits, ThatSayNothingAreTheMachines) {
  file("proc/self/cgroup", "what\n0:\n");
  file("sys/fs/cgroup/memory.max", "much\n");
  EXPECT_EQ(memory_limit(root()), machine_);
  EXPECT_GT(machine_, size_t{1} << 20);
}

}  // namespace
}  // namespace weft
