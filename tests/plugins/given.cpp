// Calls what the program has loaded before any plugin.
namespace weft {
const char* build_string();
}
extern "C" const char* called() {
  return weft::build_string();
}
