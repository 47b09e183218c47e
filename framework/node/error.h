// Errors are sentences for the person who made the mistake: where, what, what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#define WEFT_API __attribute__((visibility("default")))

namespace weft {

// The exit code of the process that ends with this error. The command line documents them.
enum class Exit : int {
  done = 0,
  internal = 1,       // a defect of weft
  usage = 2,          // a mistake in the pipeline file or on the command line
  plugin = 3,         // a plugin that is missing, broken or built for another weft
  data = 4,           // a data file that is missing, truncated or corrupt
  nonfinite = 5,      // NaN or infinity in a loss or a weight
  checkpoint = 6,     // a checkpoint that is missing, broken or incompatible
  resources = 7,      // memory or disk
  differs = 8,        // a verification found a difference
  stopped = 75,       // stopped early with a good checkpoint: run again to go on (EX_TEMPFAIL)
  interrupted = 130,  // interrupted twice: nothing saved
};

// A position in a file a user wrote; line and column count from 1, line 0 means "no place".
struct Place {
  std::string file;
  int line = 0;
  int column = 0;

  WEFT_API std::string str() const;  // "vae.yaml:12:5", or "" without a file
};

// One mistake. what() is "place: sentence", or the sentence alone if there is no place.
class WEFT_API Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence) : Error(Exit::usage, sentence) {}
  Error(Exit code, const std::string& sentence);
  Error(Place place, const std::string& sentence, Exit code = Exit::usage);
  ~Error() override;

  Exit code() const { return code_; }
  const Place& place() const { return place_; }
  const std::string& sentence() const { return sentence_; }

 private:
  Exit code_;
  Place place_;
  std::string sentence_;
};

// Several mistakes of one file, found in one run. what() has one line for each.
class WEFT_API Errors : public Error {
 public:
  explicit Errors(std::vector<Error> all);
  ~Errors() override;
  const std::vector<Error>& all() const { return all_; }

 private:
  std::vector<Error> all_;
};

// Collects mistakes so that all of a file are reported at once.
class WEFT_API Mistakes {
 public:
  void add(Place place, const std::string& sentence) { add(Error(std::move(place), sentence)); }
  void add(const Error& error);  // an Errors is taken apart
  void add(const Mistakes& others) {
    all_.insert(all_.end(), others.all_.begin(), others.all_.end());
  }
  // Adds `more` to the sentences of all mistakes in `file` but the first `from` in the list.
  void explain(size_t from, const std::string& file, const std::string& more);
  bool empty() const { return all_.empty(); }
  size_t size() const { return all_.size(); }
  void check() const;  // throws what was collected, in the order of the file
 private:
  std::vector<Error> all_;
};

}  // namespace weft
