// Exits while it is loaded, as if all were well.
#include <cstdlib>
extern const int exited = (std::exit(0), 0);
