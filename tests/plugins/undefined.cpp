// Calls what nobody defines.
int nobody_defines_this();
extern const int asked = nobody_defines_this();
