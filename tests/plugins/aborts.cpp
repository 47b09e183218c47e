// Aborts while it is loaded.
#include <cstdlib>
extern const int aborted = (std::abort(), 0);
