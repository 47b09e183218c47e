// How a process finds out that it was started with others.
#include <cstdlib>
#include <filesystem>

#include "framework/plugin/loader.h"
#include "framework/ranks/ranks.h"

namespace weft {

namespace {
int64_t number(const char* name) {
  const char* const text = std::getenv(name);
  return text ? std::strtoll(text, nullptr, 10) : 0;
}

// What mpirun of Open MPI, srun --mpi=pmix, and others that speak PMI set.
bool started_by_mpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"})
    if (std::getenv(name)) return true;
  return false;
}

std::unique_ptr<Wire> load_mpi() try {
  const std::filesystem::path library = installation() / "lib/weft/libweft_mpi.so";
  return std::unique_ptr<Wire>(reinterpret_cast<MakeWire>(load_entry(library, wire_entry))());
} catch (const Error& error) {
  if (error.code() != Exit::plugin) throw;
  throw Error(Exit::resources,
              "MPI started this process, but weft cannot talk through it: " + error.sentence() +
                  "; each host needs weft-mpi, which brings Open MPI, or a weft built with it");
}
}  // namespace

std::unique_ptr<Ranks> Ranks::start() {
  if (!started_by_mpi()) {
    if (number("SLURM_STEP_NUM_TASKS") > 1)
      throw Error("srun started " + std::to_string(number("SLURM_STEP_NUM_TASKS")) +
                  " processes that do not know of each other: srun --mpi=pmix does");
    return nullptr;
  }
  auto ranks = std::make_unique<Ranks>(load_mpi);
  return ranks->count() > 1 ? std::move(ranks) : nullptr;
}

}  // namespace weft
