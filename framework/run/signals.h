// Signals become flags that the step loop reads between steps. A second SIGINT ends the process at
// once, with 130.
#pragma once

namespace weft {

class Signals {
 public:
  Signals();   // takes SIGINT, SIGTERM, SIGHUP, SIGUSR1 (stop) and SIGUSR2 (save)
  ~Signals();  // gives them back
  Signals(const Signals&) = delete;

  static bool stop();       // save and exit
  static bool take_save();  // save and go on; asked once
};

}  // namespace weft
