// Needs a library that is gone.
int absent();
extern const int asked = absent();
