#include "nodes/text/pieces.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "framework/node/source.h"

namespace weft {

namespace {
namespace fs = std::filesystem;

fs::path file_of(const std::string& name) {
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.')
      throw Error("`vocabulary` is " + name + ", but a name has letters, digits, `-`, `_` and `.`");
  if (name.empty() || name[0] == '.') throw Error("`vocabulary` needs a name, such as novels-4096");
  return data_dir() / "vocabularies" / (name + ".vocabulary");
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return in ? all.str() : "";
}

// Writes a file durably, whole or not at all.
void write(const fs::path& file, const std::string& bytes) {
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  const std::string temporary = file.string() + "." + std::to_string(::getpid());
  std::FILE* const out = std::fopen(temporary.c_str(), "wbe");
  bool done = out && std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size() &&
              std::fflush(out) == 0 && ::fsync(::fileno(out)) == 0;
  done = (!out || std::fclose(out) == 0) && done;
  if (done) fs::rename(temporary, file, failed);
  if (done && !failed) return;
  fs::remove(temporary, failed);
  throw Error(Exit::resources, "cannot write " + file.string());
}

// The FNV-1a 64 hash of a corpus.
class Fingerprint {
 public:
  void add(const std::string& text) {
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  std::string str() const { return std::to_string(hash_); }

 private:
  uint64_t hash_ = 0xcbf29ce484222325;
};

// What a vocabulary was learned from: the first line of its bytes, which is followed by
// sentencepiece's own.
std::string origin_of(const std::string& bytes) {
  return bytes.substr(0, bytes.find('\n'));
}
std::string model_of(const std::string& bytes) {
  return bytes.substr(std::min(bytes.find('\n'), bytes.size() - 1) + 1);
}
std::string checksum_of(const std::string& bytes) {
  Fingerprint fingerprint;
  fingerprint.add(bytes);
  return "checksum " + fingerprint.str();
}

class Learned final : public Pieces {
 public:
  explicit Learned(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {
    if (bytes_->empty() || !processor_.LoadFromSerializedProto(model_of(*bytes_)).ok())
      throw Error(Exit::data, "the vocabulary of " + origin_of(*bytes_) +
                                  " is none that sentencepiece can read");
    space_ = processor_.PieceToId("\u2581");
  }

  int64_t size() const override { return processor_.GetPieceSize(); }

  std::vector<int32_t> ids(const std::string& text) const override {
    std::vector<int> encoded;
    if (!processor_.Encode(text, &encoded).ok()) throw Error(Exit::data, "a text cannot be cut");
    std::vector<int32_t> ids;
    for (const int id : encoded) {  // a mask includes the space before it
      if (id == mask && space_ != unknown && !ids.empty() && ids.back() == space_) ids.pop_back();
      ids.push_back(id);
    }
    return ids;
  }

  std::string text(const std::vector<int32_t>& ids) const override {
    std::string text;
    std::vector<int> known;
    for (const int32_t id : ids)
      if (id >= 0 && id < size()) known.push_back(id);
    if (!processor_.Decode(known, &text).ok()) throw Error(Exit::data, "pieces make no text");
    return text;
  }

 private:
  std::shared_ptr<const std::string> bytes_;
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

std::string describe(const Learning& how, const Pieces::Documents& documents) {
  Fingerprint corpus;
  for (const std::string& document : documents) corpus.add(document + '\n');
  return std::to_string(how.size) + " " + weft::names(how.kind)[static_cast<size_t>(how.kind)] +
         (how.whitespace == Whitespace::keep ? " and line ends as" : "") + " pieces of corpus " +
         corpus.str();
}

std::string learn(const Learning& how, const Pieces::Documents& documents) {
  constexpr const char* kinds[] = {"unigram", "bpe", "char", "word"};
  const bool keeps = how.whitespace == Whitespace::keep;
  Sentences sentences(documents);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      {{"vocab_size", std::to_string(how.size)},
       {"model_type", kinds[static_cast<size_t>(how.kind)]},
       {"character_coverage", how.kind == PieceKind::characters ? "1.0" : "0.9995"},
       {"normalization_rule_name", keeps ? "identity" : "nmt_nfkc"},
       {"remove_extra_whitespaces", keeps ? "false" : "true"},
       {"add_dummy_prefix", keeps ? "false" : "true"},
       {"unk_id", "0"},
       {"bos_id", "1"},
       {"eos_id", "2"},
       {"user_defined_symbols", "[MASK]"},
       {"max_sentence_length", "1000000"},
       {"num_threads", "4"},  // unigram's sums depend on the number
       {"hard_vocab_limit", "false"},
       {"use_all_vocab", "false"},
       {"minloglevel", "2"}},
      &sentences, &model);
  if (!status.ok())
    throw Error("no vocabulary of " + std::to_string(how.size) +
                " pieces can be learned from this text: " + status.ToString());
  return model;
}

// What a vocabulary was learned from, such as "64 characters pieces of corpus 123, of names.csv".
std::string told(const std::string& origin, const std::string& corpus) {
  return origin + (corpus.empty() ? "" : ", " + corpus);
}

// A vocabulary in a file: a line with its checksum, one with the corpus as messages call it, which
// files of earlier versions lack, and its bytes.
struct Kept {
  std::string corpus, bytes;

  explicit Kept(const fs::path& file) {
    std::istringstream text(read(file));
    std::string checksum;
    std::getline(text, checksum);
    std::string rest(std::istreambuf_iterator<char>(text), {});
    if (checksum != checksum_of(rest))
      throw Error(Exit::data, "the vocabulary " + file.string() +
                                  " is not what weft wrote: remove it, and it is learned anew");
    const size_t end = rest.starts_with("of ") ? rest.find('\n') + 1 : 0;
    corpus = rest.substr(0, std::max<size_t>(end, 1) - 1), bytes = rest.substr(end);
  }
  static void write_to(const fs::path& file, std::string corpus, const std::string& bytes) {
    std::ranges::replace(corpus, '\n', ' ');
    const std::string rest = corpus + "\n" + bytes;
    write(file, checksum_of(rest) + "\n" + rest);
  }
};
}  // namespace

std::string Pieces::learned(const std::string& name, const Learning& how,
                            const Documents& documents, const std::string& corpus) {
  const fs::path file = file_of(name);
  const std::string origin = describe(how, documents);
  if (!fs::exists(file)) {
    static std::mutex mutex;
    static std::map<std::string, std::string> models;  // what this process learned, by origin
    const std::scoped_lock lock(mutex);
    std::string& model = models[origin];
    if (model.empty()) model = learn(how, documents);
    return origin + "\n" + model;
  }
  const Kept kept(file);
  if (const std::string other = origin_of(kept.bytes); other != origin)
    throw Error("the vocabulary " + file.string() + " has " + told(other, kept.corpus) + ", not " +
                told(origin, corpus) + ": give yours another name, or remove that file");
  return kept.bytes;
}

std::string Pieces::kept(const std::string& name) {
  const fs::path file = file_of(name);
  if (!fs::exists(file))
    throw Error(Exit::data, "there is no vocabulary " + file.string() +
                                ": training a pipeline whose source has `pieces` learns it");
  return Kept(file).bytes;
}

void Pieces::keep(const std::string& name, const std::string& bytes, const std::string& corpus) {
  const fs::path file = file_of(name);
  if (fs::exists(file)) return;
  Kept::write_to(file, corpus, bytes);
}

std::shared_ptr<const Pieces> Pieces::of(const std::shared_ptr<const std::string>& bytes) {
  return std::make_shared<const Learned>(bytes);
}

}  // namespace weft
