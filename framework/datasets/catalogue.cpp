#include "framework/datasets/catalogue.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <limits>

#include "framework/language/fields.h"
#include "framework/node/did_you_mean.h"
#include "framework/node/source.h"

namespace weft::datasets {

namespace {
constexpr int64_t most_bytes = std::numeric_limits<int64_t>::max() / 1024;

bool is_sha256(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

// Is it safe as a word of a client's command line: not an option, a path or an address?
bool is_package_word(const std::string& text) {
  return !text.empty() && (std::isalnum(static_cast<unsigned char>(text[0])) || text[0] == '@') &&
         text.find("..") == std::string::npos && text.find("//") == std::string::npos &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) || std::string_view("@/._+~:-").find(c) != std::string_view::npos;
         });
}

bool is_inside(const std::string& text) {
  const std::filesystem::path path(text.ends_with('/') ? text.substr(0, text.size() - 1) : text);
  return !text.empty() && path.is_relative() && path.has_filename() &&
         std::none_of(path.begin(), path.end(),
                      [](const auto& part) { return part == ".." || part == "."; });
}

using keys::boolean, keys::integer, keys::text;

const Key from{"from", text.needed(), "Its path in the package."};
const Key bytes{"bytes", integer(within(0, most_bytes)).needed(), "Its length."};
const Key sha256{"sha256", text.needed(), "64 hexadecimal digits."};

const Keys file_keys{"file",
                     "A file of a data set, as it is kept.",
                     {
                         from,
                         {"gunzip", boolean.otherwise("false"), "It is unpacked."},
                         {"extract", text, "rdb: it is what such a file of R holds."},
                         bytes,
                         sha256,
                     }};

const Keys folder_keys{"folder",
                       "Files of a data set; its name ends in `/`.",
                       {
                           from,
                           {"files", integer(within(1, 1 << 24)).needed(), "How many."},
                           {"only", text.otherwise("*"), "The files whose paths in it match."},
                           bytes,
                           sha256,
                       }};

const Keys dataset_keys{"data set",
                        "Files from a package.",
                        {
                            {"about", text.needed(), "What it is, in a sentence."},
                            {"source", text.needed(), "Where the data are from."},
                            {"licence", text.needed(), "Its name."},
                            {"licence_file", text.needed(), "Its path in the package."},
                            {"manager", text.needed(), "What gets the package: apt or npm."},
                            {"package", text.needed(), "Its name."},
                            {"version", text.needed(), "Of the package."},
                            sha256,
                            {"files", keys::named(keys::map(file_keys)).needed(),
                             "By their paths in the set's folder."},
                        }};

// Reads the keys of one map; a value that fails `good` is a mistake.
class Reader {
 public:
  Reader(const Yaml& map, const Keys& keys, const std::string& what, Mistakes& mistakes)
      : fields_(map, keys, what, mistakes), mistakes_(mistakes) {}

  std::string text(const std::string& key, bool (*good)(const std::string&), const char* must) {
    const Yaml* value = fields_.need(key);
    if (!value) return "";
    if (!value->is_scalar() || !good(value->text()))
      mistakes_.add(value->place(), "`" + key + "` must be " + must);
    return value->text();
  }
  std::string text(const std::string& key) {
    return text(
        key, [](const std::string& text) { return !text.empty(); }, "a text");
  }
  Extract extract() {
    const Yaml* value = fields_.take("extract");
    if (fields_.boolean("gunzip")) {
      if (value)
        mistakes_.add(value->place(), "`extract` and `gunzip` are two ways to unpack: give one");
      return Extract::gunzip;
    }
    if (!value) return Extract::copy;
    if (!value->is_scalar() || value->text() != "rdb")
      mistakes_.add(value->place(), "`extract` must be rdb");
    return Extract::rdb;
  }
  Fields& fields() { return fields_; }

 private:
  Fields fields_;
  Mistakes& mistakes_;
};

File read_file(const Yaml::Entry& entry, Mistakes& mistakes) {
  File file{.name = entry.key};
  if (!is_inside(file.name))
    mistakes.add(entry.place, "`" + file.name + "` must be a path inside the data set's folder");
  Reader reader(entry.value, file.is_folder() ? folder_keys : file_keys, "file `" + file.name + "`",
                mistakes);
  file.from = reader.text("from", is_inside, "a path inside the package");
  if (file.is_folder()) {
    file.count = reader.fields().integer("files");
    file.only = reader.fields().text("only");
  } else {
    file.extract = reader.extract();
  }
  file.bytes = reader.fields().integer("bytes");
  file.sha256 = reader.text("sha256", is_sha256, "64 hexadecimal digits");
  return file;
}

Dataset read_dataset(const Yaml::Entry& entry, Mistakes& mistakes) {
  Dataset set{.name = entry.key};
  if (!is_name(set.name))
    mistakes.add(entry.place, "`" + set.name + "` is no name: use letters, digits, `_` and `-`");
  Reader reader(entry.value, dataset_keys, "data set `" + set.name + "`", mistakes);
  set.about = reader.text("about");
  set.source = reader.text("source");
  set.licence = reader.text("licence");
  set.licence_file = reader.text("licence_file", is_inside, "a path inside the package");
  const std::string manager = reader.text(
      "manager", [](const std::string& text) { return text == "apt" || text == "npm"; },
      "apt or npm");
  set.manager = manager == "npm" ? Manager::npm : Manager::apt;
  set.package = reader.text("package", is_package_word, "the name of a package");
  set.version = reader.text("version", is_package_word, "the version of a package");
  set.sha256 = reader.text("sha256", is_sha256, "64 hexadecimal digits");
  const Yaml* files = reader.fields().need("files");
  if (files && (!files->is_map() || files->entries().empty()))
    mistakes.add(files->place(), "`files` must be a map of one file or more");
  else if (files)
    for (const auto& file : files->entries()) set.files.push_back(read_file(file, mistakes));
  return set;
}
}  // namespace

std::filesystem::path Dataset::folder() const {
  return data_dir() / name;
}

int64_t Dataset::bytes() const {
  int64_t sum = 0;
  for (const File& file : files)
    if (__builtin_add_overflow(sum, file.bytes, &sum)) return std::numeric_limits<int64_t>::max();
  return sum;
}

std::vector<Dataset> read_catalogue(const Yaml& yaml) {
  Mistakes mistakes;
  std::vector<Dataset> sets;
  if (!yaml.is_map()) mistakes.add(yaml.place(), "a catalogue must be a map of data sets");
  for (const auto& entry : yaml.entries()) sets.push_back(read_dataset(entry, mistakes));
  mistakes.check();
  return sets;
}

std::vector<Dataset> catalogue() {
  std::vector<Dataset> sets = read_catalogue(Yaml::parse(built_in_catalogue(), "datasets.yaml"));
  const char* more = std::getenv("WEFT_DATASETS");
  if (!more || !*more) return sets;
  for (Dataset& set : read_catalogue(Yaml::read(more))) {
    const auto same = [&](const Dataset& other) { return other.name == set.name; };
    const auto at = std::find_if(sets.begin(), sets.end(), same);
    if (at == sets.end())
      sets.push_back(std::move(set));
    else
      *at = std::move(set);
  }
  return sets;
}

Dataset find(const std::string& name) {
  std::vector<std::string> known;
  for (const Dataset& set : catalogue()) {
    if (set.name == name) return set;
    known.push_back(set.name);
  }
  throw Error("there is no data set `" + name + "`" + did_you_mean(name, known) +
              "; `weft data list` shows them");
}

}  // namespace weft::datasets
