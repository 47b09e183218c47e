// Throws while it is loaded.
#include <stdexcept>
extern const int thrown = (throw std::runtime_error("no such device"), 0);
