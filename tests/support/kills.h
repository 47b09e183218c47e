// Kills a training again and again, most often while it saves.
#pragma once

#include "tests/support/tiny_runs.h"

namespace weft::tests {

class Kills : public TinyRuns {
 protected:
  // Trains `pipeline` undisturbed, and with so many kills at random moments, each followed by
  // --resume auto. Nothing but the moments may differ.
  void survives(const std::string& pipeline, int kills);

 private:
  void kill_at(Process& process, int64_t step) const;
};

}  // namespace weft::tests
