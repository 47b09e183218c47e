#include "framework/node/source.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "framework/node/host.h"

namespace weft {

std::filesystem::path data_dir() {
  if (const char* dir = std::getenv("WEFT_DATA_DIR"); dir && *dir) return dir;
  if (const char* dir = std::getenv("XDG_DATA_HOME"); dir && *dir)
    return std::filesystem::path(dir) / "weft";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home ? home : ".") / ".local/share/weft";
}

namespace {
// How to get the data set that a path may be in; "" if its first folder has no name of a set.
std::string hint(const std::filesystem::path& given) {
  const auto inside = given.is_absolute()
                          ? given.lexically_relative(std::filesystem::absolute(data_dir()))
                          : given.lexically_normal();
  const std::string set = inside.empty() ? "" : inside.begin()->string();
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  if (set.empty() || !std::ranges::all_of(set, fits)) return "";
  return "; if it is of a data set: `weft data fetch " + set + "`";
}
}  // namespace

std::filesystem::path find_data(const std::string& given) {
  if (given.empty()) throw Error("a file or folder is named by an empty text");
  auto fetched = data_dir() / given;
  for (const std::filesystem::path& place : {std::filesystem::path(given), fetched}) {
    std::error_code denied;  // not set if there is no such place
    if (std::filesystem::exists(place, denied)) return place;
    if (denied)
      throw Error(Exit::data, "cannot look at " + place.string() + ": " + denied.message());
  }
  throw Error(Exit::data,
              "there is no `" + given + "`, here or in " + data_dir().string() + hint(given));
}

void Source::infer() {
  samples_ = open();
  if (samples_ < 0)
    throw Error(Exit::plugin,
                "open() returned " + std::to_string(samples_) + " samples: a defect of the node");
  if (samples_ == 0) {
    std::string why;
    for (const std::string& note : notes()) why += (why.empty() ? ": " : "; ") + note;
    throw Error(Exit::data, "the data set is empty" + why);
  }
  if (*drop_last && samples_ < *batch)
    throw Error(Exit::data, "the data set has " + std::to_string(samples_) +
                                " samples, fewer than one batch of " + std::to_string(*batch) +
                                ": lower `batch` or leave out `drop_last`");
}

Fit::Fit(Node* owner, const Out& of) : of(of), owner_(owner) {
  owner->host().fits.push_back(this);
}

const std::string& Fit::known(const std::string& what, const std::string& which,
                              const std::function<std::string()>& learn) {
  name_ = what + " of " + which;
  complaint_.clear();
  const Fitted* const given = owner_->host().fitted(name_);
  bytes_ = given ? given->bytes : nullptr;
  given_ = bytes_ != nullptr;
  if (!given_) bytes_ = std::make_shared<const std::string>(learn());
  return *bytes_;
}

const std::string& Fit::named(const std::string& what, const std::string& which,
                              const std::function<std::string()>& learn) {
  known(what, which, learn);
  if (const auto& all = owner_->host().setting.fitted; all && !given_) (*all)[name_].bytes = bytes_;
  return *bytes_;
}

}  // namespace weft
