// Sleeps for ever while it is loaded.
#include <unistd.h>
static int sleep_for_ever() {
  while (true) pause();
}
extern const int slept = sleep_for_ever();
