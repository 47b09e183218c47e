// Preloaded: oneDNN says that it was built for the runtime $DNN_RUNTIME, a number of dnnl_config.h,
// or that it is the patch $DNN_PATCH of its version.
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

#include <cstdlib>

extern "C" [[gnu::visibility("default")]] const dnnl_version_t* dnnl_version() {
  static const dnnl_version_t told = [] {
    const auto real =
        reinterpret_cast<const dnnl_version_t* (*)()>(dlsym(RTLD_NEXT, "dnnl_version"));
    dnnl_version_t version = *real();
    if (const char* runtime = std::getenv("DNN_RUNTIME"))
      version.cpu_runtime = static_cast<unsigned>(std::atoi(runtime));
    if (const char* patch = std::getenv("DNN_PATCH")) version.patch = std::atoi(patch);
    return version;
  }();
  return &told;
}
