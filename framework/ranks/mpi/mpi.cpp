// The engine of messages that mpirun and srun start: MPI.
#define OMPI_SKIP_MPICXX 1  // its C++ half, which needs another library
#include <mpi.h>

#include <algorithm>
#include <array>

#include "framework/ranks/wire.h"

namespace weft {
namespace {

constexpr size_t most = size_t{1} << 30;  // bytes of a message: MPI counts in int

void check(int result, const char* call) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw Error(Exit::resources, std::string(call) + " failed: " + text);
}

class Mpi final : public Wire {
 public:
  Mpi() {
    int given = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &given), "MPI_Init_thread");
    MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &count_);
    if (given < MPI_THREAD_SERIALIZED)
      throw Error(Exit::resources, "this MPI does not let several threads use it in turns");
  }

  ~Mpi() override {
    for (MPI_Request& request : requests_)
      if (request != MPI_REQUEST_NULL) MPI_Cancel(&request), MPI_Request_free(&request);
    MPI_Finalize();
  }

  int64_t rank() const override { return rank_; }
  int64_t count() const override { return count_; }

  std::string engine() const override {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    const std::string all = text;  // "Open MPI v4.1.4, package: …"
    return all.substr(0, all.find_first_of(",\n"));
  }

  std::vector<std::string> hosts() const override {
    using Name = std::array<char, MPI_MAX_PROCESSOR_NAME>;
    Name own{};
    int length = 0;
    MPI_Get_processor_name(own.data(), &length);
    std::vector<Name> all(static_cast<size_t>(count_));
    MPI_Allgather(own.data(), MPI_MAX_PROCESSOR_NAME, MPI_CHAR, all.data(), MPI_MAX_PROCESSOR_NAME,
                  MPI_CHAR, comm_);
    std::vector<std::string> names;
    for (const Name& name : all) names.emplace_back(name.data());
    return names;
  }

  void tell(int64_t to, int tag, const void* data, size_t bytes, uint64_t ticket) override {
    each(bytes, ticket, [&](size_t, int size, MPI_Request* request) {
      check(MPI_Issend(data, size, MPI_BYTE, static_cast<int>(to), tag, comm_, request),
            "MPI_Issend");
    });
  }

  int send(int64_t to, int tag, const void* data, size_t bytes, uint64_t ticket) override {
    return each(bytes, ticket, [&](size_t at, int size, MPI_Request* request) {
      check(MPI_Isend(static_cast<const char*>(data) + at, size, MPI_BYTE, static_cast<int>(to),
                      tag, comm_, request),
            "MPI_Isend");
    });
  }

  int receive(int64_t from, int tag, void* data, size_t bytes, uint64_t ticket) override {
    return each(bytes, ticket, [&](size_t at, int size, MPI_Request* request) {
      check(MPI_Irecv(static_cast<char*>(data) + at, size, MPI_BYTE, static_cast<int>(from), tag,
                      comm_, request),
            "MPI_Irecv");
    });
  }

  void finished(std::vector<uint64_t>& tickets) override {
    int done = 0;
    indices_.resize(requests_.size());
    check(MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &done, indices_.data(),
                       MPI_STATUSES_IGNORE),
          "MPI_Testsome");
    if (done <= 0) return;  // MPI_UNDEFINED: nothing is under way
    for (int i = 0; i < done; ++i) tickets.push_back(tickets_[static_cast<size_t>(indices_[i])]);
    size_t kept = 0;
    for (size_t i = 0; i < requests_.size(); ++i)
      if (requests_[i] != MPI_REQUEST_NULL) {
        requests_[kept] = requests_[i];
        tickets_[kept++] = tickets_[i];
      }
    requests_.resize(kept), tickets_.resize(kept);
  }

  void abort(int code) override { MPI_Abort(comm_, code); }

 private:
  template <class F>
  int each(size_t bytes, uint64_t ticket, F f) {
    int count = 0;
    for (size_t at = 0; at < std::max<size_t>(bytes, 1); at += most, ++count) {
      requests_.push_back(MPI_REQUEST_NULL);
      tickets_.push_back(ticket);
      f(at, static_cast<int>(std::min(bytes - at, most)), &requests_.back());
    }
    return count;
  }

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, count_ = 1;
  std::vector<MPI_Request> requests_;
  std::vector<uint64_t> tickets_;  // of the requests
  std::vector<int> indices_;
};

}  // namespace
}  // namespace weft

extern "C" WEFT_API weft::Wire* weft_wire() {
  return new weft::Mpi;
}
