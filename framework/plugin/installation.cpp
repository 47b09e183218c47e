#include "framework/plugin/installation.h"

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/runtime_symbol_info.hpp>

namespace weft {

std::filesystem::path installation() {
  return boost::dll::program_location().parent_path().parent_path();
}

}  // namespace weft
