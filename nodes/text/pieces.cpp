#include "nodes/text/pieces.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "framework/node/node.h"

namespace weft {

namespace {
namespace fs = std::filesystem;

struct Files {
  fs::path model, origin;  // what sentencepiece learned, and from what
};

Files files_of(const std::string& name) {
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.')
      throw Error("`vocabulary` is " + name + ", but a name has letters, digits, `-`, `_` and `.`");
  if (name.empty() || name[0] == '.') throw Error("`vocabulary` needs a name, such as novels-4096");
  const fs::path folder = Node::data_dir() / "vocabularies";
  return {folder / (name + ".model"), folder / (name + ".origin")};
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return in ? all.str() : "";
}

void write(const fs::path& file, const std::string& bytes) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  const fs::path temporary = file.string() + "." + std::to_string(::getpid());
  std::ofstream out(temporary, std::ios::binary);
  out << bytes;
  out.close();
  if (out) fs::rename(temporary, file, error);
  if (!out || error) throw Error(Exit::resources, "cannot write " + file.string());
}

class Learned final : public Pieces {
 public:
  Learned(const std::string& model, const fs::path& file) {
    if (!processor_.LoadFromSerializedProto(model).ok())
      throw Error(Exit::data, file.string() +
                                  " is no vocabulary of sentencepiece: remove it, and "
                                  "it is learned anew");
    space_ = processor_.PieceToId("\u2581");
  }

  int64_t size() const override { return processor_.GetPieceSize(); }

  std::vector<int32_t> places(const std::string& text) const override {
    std::vector<int> ids;
    if (!processor_.Encode(text, &ids).ok()) throw Error(Exit::data, "a text cannot be cut");
    std::vector<int32_t> places;
    for (const int id : ids) {  // a blank stands for a piece with the space before it
      if (id == mask && space_ != unknown && !places.empty() && places.back() == space_)
        places.pop_back();
      places.push_back(id);
    }
    return places;
  }

  std::string text(const std::vector<int32_t>& places) const override {
    std::string text;
    std::vector<int> ids;
    for (const int32_t place : places)
      if (place >= 0 && place < size()) ids.push_back(place);
    if (!processor_.Decode(ids, &text).ok()) throw Error(Exit::data, "pieces make no text");
    return text;
  }

 private:
  sentencepiece::SentencePieceProcessor processor_;
  int32_t space_ = unknown;
};

class Sentences final : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const Pieces::Documents& documents) : documents_(documents) {}
  bool done() const override { return at_ == documents_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return documents_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const Pieces::Documents& documents_;
  size_t at_ = 0;
};

// FNV-1a 64: tells one corpus from another.
std::string fingerprint(const Pieces::Documents& documents) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::string& document : documents)
    for (const char c : document + '\n')
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return std::to_string(hash);
}

std::string learn(int64_t size, PieceKind kind, const Pieces::Documents& documents) {
  constexpr const char* kinds[] = {"unigram", "bpe", "char", "word"};
  Sentences sentences(documents);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      {{"vocab_size", std::to_string(size)},
       {"model_type", kinds[static_cast<size_t>(kind)]},
       {"character_coverage", kind == PieceKind::characters ? "1.0" : "0.9995"},
       {"unk_id", "0"},
       {"bos_id", "1"},
       {"eos_id", "2"},
       {"user_defined_symbols", "[MASK]"},
       {"max_sentence_length", "1000000"},
       {"num_threads", "4"},  // the sums of unigram depend on it
       {"hard_vocab_limit", "false"},
       {"use_all_vocab", "false"},
       {"minloglevel", "2"}},
      &sentences, &model);
  if (!status.ok())
    throw Error("no vocabulary of " + std::to_string(size) +
                " pieces can be learned from this text: " + status.ToString());
  return model;
}

std::mutex opening;
std::map<std::string, std::weak_ptr<const Pieces>> open;

std::shared_ptr<const Pieces> opened(const std::string& name, const Files& files) {
  if (auto shared = open[name].lock()) return shared;
  auto fresh = std::make_shared<const Learned>(read(files.model), files.model);
  open[name] = fresh;
  return fresh;
}
}  // namespace

std::shared_ptr<const Pieces> Pieces::learned(const std::string& name, int64_t size, PieceKind kind,
                                              const Documents& documents) {
  const Files files = files_of(name);
  const std::string origin = std::to_string(size) + " " +
                             weft::names(kind)[static_cast<size_t>(kind)] + " pieces of corpus " +
                             fingerprint(documents) + "\n";
  const std::scoped_lock lock(opening);
  if (!fs::exists(files.model)) {
    const std::string model = learn(size, kind, documents);
    write(files.origin, origin);
    write(files.model, model);
  } else if (!fs::exists(files.origin)) {
    throw Error("the vocabulary " + files.model.string() + " lacks " + files.origin.string() +
                ", which tells what it was learned from: bring it along, or remove the vocabulary");
  } else if (const std::string other = read(files.origin); other != origin) {
    throw Error("the vocabulary " + files.model.string() + " has " +
                other.substr(0, other.find('\n')) + ", not " + origin.substr(0, origin.size() - 1) +
                ": give yours another name, or remove that file");
  }
  return opened(name, files);
}

std::shared_ptr<const Pieces> Pieces::known(const std::string& name) {
  const Files files = files_of(name);
  const std::scoped_lock lock(opening);
  if (!fs::exists(files.model))
    throw Error(Exit::data, "there is no vocabulary " + files.model.string() +
                                ": `weft check` of a pipeline whose `text` has `pieces` learns it");
  return opened(name, files);
}

}  // namespace weft
