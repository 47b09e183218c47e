// Signals become flags that the step loop reads between steps. A second SIGINT ends the process at
// once, with 130; so does a second SIGTERM that comes 5 s or more after the first stop, as a step
// that hangs would keep the process for ever.
//
// One thread waits for the signals, and all others block them: kernels made at run time may use the
// stack pointer for data, so a handler on a worker's stack would write over the heap. Construct a
// Signals before any worker exists, because threads inherit what is blocked.
#pragma once

#include <thread>

namespace weft {

class Signals {
 public:
  Signals();   // takes SIGINT, SIGTERM, SIGHUP, SIGUSR1 (stop) and SIGUSR2 (save)
  ~Signals();  // signals stay blocked: a late one must not spoil a good end
  Signals(const Signals&) = delete;

  static bool stop();       // was the process asked to save and exit?
  static bool take_save();  // was it asked, since the last call, to save and go on?

 private:
  std::thread thread_;
};

}  // namespace weft
