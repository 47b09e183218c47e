#include "framework/node/error.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace weft {

std::string Place::str() const {
  if (file.empty()) return "";
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

namespace {
std::string at(const Place& place, const std::string& sentence) {
  return place.file.empty() ? sentence : place.str() + ": " + sentence;
}

// Leaves out the middle of each line that is too long, as it can be if it quotes a file.
std::string bounded(const std::string& text) {
  constexpr size_t most = 2000, half = 900;
  if (text.size() <= most) return text;
  const auto inside = [&](size_t i) { return (text[i] & 0xC0) == 0x80; };  // within a character
  std::string all;
  for (size_t begin = 0, end = 0; begin <= text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    size_t first = begin + half, second = end - half;
    if (end - begin > most) {
      while (first > begin && inside(first)) --first;
      while (second < end && inside(second)) ++second;
      all.append(text, begin, first - begin).append(" … ").append(text, second, end - second);
    } else {
      all.append(text, begin, end - begin);
    }
    if (end < text.size()) all += '\n';
  }
  return all;
}

std::string joined(const std::vector<Error>& all) {
  std::string text;
  for (const Error& error : all) text += (text.empty() ? "" : "\n") + std::string(error.what());
  return text;
}
}  // namespace

Error::Error(Exit code, const std::string& sentence)
    : std::runtime_error(bounded(sentence)), code_(code), sentence_(what()) {}

Error::Error(Place place, const std::string& sentence, Exit code)
    : std::runtime_error(at(place, bounded(sentence))),
      code_(code),
      place_(std::move(place)),
      sentence_(bounded(sentence)) {}

Error::~Error() = default;

Errors::Errors(std::vector<Error> all)
    : Error(all.front().code(), joined(all)), all_(std::move(all)) {}

Errors::~Errors() = default;

void Mistakes::add(const Error& error) {
  if (const auto* several = dynamic_cast<const Errors*>(&error))
    all_.insert(all_.end(), several->all().begin(), several->all().end());
  else
    all_.push_back(error);
}

void Mistakes::explain(size_t from, const std::string& file, const std::string& more) {
  for (size_t i = from; i < all_.size(); ++i)
    if (all_[i].place().file == file)
      all_[i] = Error(all_[i].place(), all_[i].sentence() + more, all_[i].code());
}

void Mistakes::check() const {
  if (all_.empty()) return;
  std::vector<Error> sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Error& a, const Error& b) {
    return std::tie(a.place().file, a.place().line, a.place().column) <
           std::tie(b.place().file, b.place().line, b.place().column);
  });
  // Reports a mistake at a place, or with data, once: not again for another section, for another
  // copy of a node (its name stands before "(kind): "), or with other lines of explanation.
  std::set<std::string> told;
  std::erase_if(sorted, [&](const Error& error) {
    const std::string sentence = error.sentence().substr(0, error.sentence().find('\n'));
    const size_t kind = sentence.find("): ");
    const std::string place = error.code() == Exit::data ? "" : error.place().str();
    return !told.insert(place + (kind == sentence.npos ? sentence : sentence.substr(kind))).second;
  });
  constexpr size_t most = 100;
  if (sorted.size() > most) {
    const std::string rest = std::to_string(sorted.size() - most);
    sorted.resize(most, sorted.front());
    sorted.emplace_back("and " + rest + " mistakes more");
  }
  if (sorted.size() == 1) throw Error(sorted.front());
  throw Errors(std::move(sorted));
}

}  // namespace weft
