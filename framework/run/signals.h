// Signals become flags that the step loop reads between steps. A second SIGINT ends the process at
// once, with 130; so does a second SIGTERM that comes 5 s or more after the first stop, as a step
// that hangs would keep the process for ever.
//
// They are taken by a thread that waits for them and are blocked in all others: kernels made at run
// time may use the stack pointer for data, so a handler on a worker's stack would write over the
// heap. Construct it before any worker exists: threads inherit what is blocked.
#pragma once

#include <thread>

namespace weft {

class Signals {
 public:
  Signals();   // takes SIGINT, SIGTERM, SIGHUP, SIGUSR1 (stop) and SIGUSR2 (save)
  ~Signals();  // they stay blocked: one that comes late must not undo a good end
  Signals(const Signals&) = delete;

  static bool stop();       // save and exit
  static bool take_save();  // save and go on; asked once

 private:
  std::thread thread_;
};

}  // namespace weft
