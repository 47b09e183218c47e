#include "framework/language/yaml.h"

#include <fcntl.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <regex>
#include <sstream>
#include <unordered_map>

#include "framework/language/yaml_text.h"
#include "framework/node/did_you_mean.h"

namespace weft {
namespace {

constexpr size_t max_values = 100'000;
constexpr size_t max_copied = 16 << 20;  // bytes of text that aliases repeat
constexpr size_t max_depth = 64;
constexpr size_t max_mistakes = 100;

// A sentence about a mistake of syntax; `theirs` is how the YAML library's own sentence starts.
std::string syntax_sentence(const YamlText& text, size_t at, const std::string& theirs) {
  using namespace YAML::ErrorMsg;
  const std::string_view line = text.line(at);
  if (line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos)
    return "the indentation of this line has a tab; indent with spaces";
  const std::string word = text.word(at);
  const std::pair<const char*, std::string> sayings[] = {
      {END_OF_SEQ_FLOW, "a list in `[ ]` is not closed, or a comma is missing"},
      {END_OF_MAP_FLOW,
       "a map in `{ }` is not closed, or a comma is missing, or quotes around a text with `[` or "
       "`{`"},
      {END_OF_MAP, "this does not fit the map above it; check indentation and quotes"},
      {END_OF_SEQ, "this does not fit the list above it; check indentation and quotes"},
      {MAP_VALUE, "a `:` cannot stand here; check the indentation, or quote the text"},
      {MAP_KEY, "a `?` cannot stand here; quote the text"},
      {BLOCK_ENTRY, "a list item cannot start here; put its `-` on a line of its own"},
      {FLOW_END, "this bracket does not close the last one that was opened"},
      {UNKNOWN_TOKEN, "this character cannot stand here; quote the text"},
      {EOF_IN_SCALAR, "a quote that opens after this is never closed"},
      {DOC_IN_SCALAR, "`" + word + "` starts a line within quotes; indent it"},
      {CHAR_IN_BLOCK, "nothing but a comment may follow `|` or `>`"},
      {INVALID_ESCAPE, "an unknown `\\` escape; in single quotes a `\\` is a plain character"},
      {INVALID_HEX, "a `\\` escape with a digit that is not hexadecimal"},
      {INVALID_UNICODE, "a `\\` escape of a character that does not exist"},
      {UNKNOWN_ANCHOR, "alias `" + word + "` has no anchor before it"},
      {TAB_IN_INDENTATION, "indentation must be spaces, but here is a tab"}};
  for (const auto& [start, ours] : sayings)
    if (theirs.starts_with(start)) return ours;
  return "this is not YAML: " + shown(theirs);
}

size_t count(const Yaml& parent) {
  return parent.is_list() ? parent.items().size() : parent.entries().size();
}

const Yaml& child(const Yaml& parent, size_t i) {
  return parent.is_list() ? parent.items()[i] : parent.entries()[i].value;
}

// The text with a comment as its last line, which makes yaml-cpp 0.7 notice every open quote: it
// accepts one that is the last byte or is followed by blank lines only. A comment in the first
// column belongs to no value unless it is inside quotes.
std::string sealed(std::string_view bytes) {
  const std::string_view full = bytes.substr(0, bytes.find_last_not_of(" \t") + 1);
  if (full.ends_with('\n')) return std::string(full) + '#';
  const bool quote = bytes.ends_with('\'') || bytes.ends_with('"');
  return std::string(bytes) + (quote ? "\n#" : "");
}

// The first line from byte `begin` to `end` that starts with a key without a space behind its `:`,
// or that is a single word; -1 if there is none. The parser notices such a mistake only some lines
// later.
std::pair<int64_t, std::string> stray_key(const YamlText& text, size_t begin, size_t end) {
  static const std::regex tight(R"(^\s*(- )?([A-Za-z_][\w-]*):([^\s:/][^{}\[\]"'#]*)$)");
  static const std::regex lone(R"(^\s*([A-Za-z_][\w-]*)(?:[ =]+([\w.+-]+))?\s*$)");
  for (size_t at = begin; at < text.bytes().size() && at <= end;) {
    std::string line(text.line(at));
    line.erase(line.find_last_not_of("\r\n") + 1);
    std::smatch match;
    const size_t first = at + std::min(line.find_first_not_of(" \t"), line.size());
    if (line.size() < 200 && std::regex_match(line, match, tight))
      return {first, "`" + std::string(match[2]) + ":" + std::string(match[3]) +
                         "` needs a space after the colon: `" + std::string(match[2]) + ": " +
                         std::string(match[3]) + "`"};
    if (line.size() < 200 && std::regex_match(line, match, lone))
      return {first, "`" + line.substr(first - at) + "` is a key without a value: write `" +
                         std::string(match[1]) + ": " +
                         (match[2].length() ? std::string(match[2]) : "…") + "`"};
    at = text.bytes().find('\n', at);
    if (at == std::string_view::npos) break;
    ++at;
  }
  return {-1, ""};
}

// Builds the tree from the events of the YAML library.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const YamlText& text) : text_(text) {
    stack_.push_back({Yaml::list({}, text.place(0))});  // the list of documents: there is one
  }

  Yaml finish() {
    mistakes_.check();
    std::vector<Yaml>& documents = stack_.front().value.items();
    return documents.empty() ? Yaml::null(text_.place(0)) : std::move(documents.front());
  }

  size_t line_start(size_t at) const {
    const size_t before = at == 0 ? at : text_.bytes().rfind('\n', at - 1);
    return at == 0 || before == std::string_view::npos ? 0 : before + 1;
  }

  void syntax_error(const YAML::Exception& error) {
    const size_t end = text_.bytes().size();
    const size_t at = error.mark.is_null() ? end : std::min<size_t>(error.mark.pos, end);
    std::string sentence = syntax_sentence(text_, at, error.msg);
    if (error.msg == YAML::ErrorMsg::END_OF_MAP || error.msg == YAML::ErrorMsg::MAP_VALUE)
      if (const auto [stray, why] = stray_key(text_, line_start(last_), at); stray >= 0)
        refuse(text_.place(static_cast<size_t>(stray)), why);
    if (error.msg == YAML::ErrorMsg::EOF_IN_SCALAR) refuse(text_.place(last_), sentence);
    if (error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW ||
        error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW) {
      const Place& open = stack_.back().value.place();
      if (at == end) refuse(open, sentence);
      sentence += "; it starts at line " + std::to_string(open.line);
    }
    refuse(text_.place(at), sentence);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_)
      refuse(place(mark), text_.bytes().substr(mark.pos).starts_with("---")
                              ? "a second document starts here, but a file holds one"
                              : "this does not belong to what stands above; check indentation "
                                "and brackets");
    started_ = true;
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) return refuse_key(place(mark), "null");
    const Frame& top = stack_.back();
    if (top.in_block && static_cast<size_t>(mark.pos) == top.key_at)
      mistake(top.key_place, "there is no `:` after `" + shown(top.key) + "`");
    const size_t colon = top.key.find(':');
    const bool written = std::string_view("~nN").find(text_[mark.pos]) != std::string_view::npos;
    const bool quoted = text_[top.key_at] == '"' || text_[top.key_at] == '\'';
    if (top.value.is_map() && !written && !quoted && colon != std::string::npos && colon > 0 &&
        colon + 1 < top.key.size())
      mistake(top.key_place, "`" + shown(top.key) + "` needs a space after the colon: `" +
                                 shown(top.key.substr(0, colon)) + ": " +
                                 shown(top.key.substr(colon + 1)) + "`");
    Place at = null_place(mark);
    begin(mark, "?", anchor);
    add(Yaml::null(std::move(at)));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (wants_key()) return add_key(mark, tag, anchor, value);
    begin(mark, tag, anchor);
    const bool text_only = value == "-" || value.find('\n') != std::string::npos;
    add(Yaml::scalar(value, place(mark), tag != "?" || text_only));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) return refuse_key(place(mark), "an alias");
    last_ = mark.pos;
    if (!paths_.contains(anchor)) return add(Yaml());  // an anchor of a key, which is refused there
    if (const Yaml* value = anchored(anchor)) {
      take(*value, stack_.size() - 1, place(mark));
      return add(*value);
    }
    mistake(place(mark), "alias `" + text_.word(mark.pos) + "` stands inside its own anchor");
    add(Yaml());
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor);
    open(Yaml::list({}, place(mark)));
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    begin(mark, tag, anchor);
    open(Yaml::map({}, place(mark)));
    stack_.back().in_block = style == YAML::EmitterStyle::Block;
  }

  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Yaml value;             // a list or map that is not complete
    bool is_key = false;    // it stands in place of a key: refused when it is complete
    bool in_block = false;  // a map in block style, a line for each key
    bool has_key = false;
    std::string key;
    Place key_place;
    size_t key_at = 0;
    std::unordered_map<std::string, int> lines;  // by key: the line that it stands in
  };

  Place place(const YAML::Mark& mark) const { return text_.place(mark.pos); }
  bool wants_key() const { return stack_.back().value.is_map() && !stack_.back().has_key; }

  void mistake(Place place, const std::string& sentence) {
    mistakes_.add(std::move(place), sentence);
    if (++mistake_count_ == max_mistakes) mistakes_.check();
  }

  void refuse(Place place, const std::string& sentence) {
    mistakes_.add(std::move(place), sentence);
    mistakes_.check();
  }

  void refuse_key(Place place, const std::string& what) {
    refuse(std::move(place), "a key must be text, but is " + what);
  }

  void refuse_tag(size_t at) {
    const std::string tag = text_.word(text_.bytes().find('!', at));
    mistake(text_.place(at), "tags are not supported; remove `" + tag + "`");
  }

  // The place of a null without text, which the library marks at the token that follows it.
  Place null_place(const YAML::Mark& mark) const {
    const Frame& top = stack_.back();
    const size_t at = mark.pos;
    const std::string_view rest = text_.bytes().substr(std::min(at, text_.bytes().size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t\r\n,]}"));
    const char first = text_[at];
    if (first == '&' || (!word.empty() && is_null_word(word))) return text_.place(at);
    if (top.value.is_map()) return top.key_place;
    if (first == ',' || first == ']' || stack_.size() == 1) return text_.place(at);
    for (size_t dash = at; dash-- > 0;)
      if (text_[dash] == '-' && text_.word(dash) == "-") return text_.place(dash);
    return text_.place(at);
  }

  // Called once for each value, when it starts.
  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    last_ = mark.pos;
    if (++values_ > max_values) refuse(place(mark), "the text has more than 100,000 values");
    if ((tag != "?" && tag != "!") || text_[last_] == '!') refuse_tag(last_);
    if (anchor == YAML::NullAnchor) return;
    std::vector<size_t>& path = paths_[anchor];
    for (const Frame& frame : stack_) path.push_back(count(frame.value));
  }

  void open(Yaml value) {
    if (stack_.size() > max_depth)
      refuse(value.place(), "lists and maps are nested deeper than 64");
    const bool is_key = wants_key();
    stack_.push_back({std::move(value), is_key});
  }

  void close() {
    Yaml value = std::move(stack_.back().value);
    if (stack_.back().is_key)
      refuse_key(value.place(),
                 value.is_list() ? "a list" : "a map; quote text that starts with `{`");
    stack_.pop_back();
    add(std::move(value));
  }

  void add(Yaml value) {
    Frame& top = stack_.back();
    if (top.value.is_list()) return top.value.items().push_back(std::move(value));
    top.value.entries().push_back({std::move(top.key), std::move(top.key_place), std::move(value)});
    top.has_key = false;
  }

  void add_key(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
               const std::string& key) {
    Frame& top = stack_.back();
    last_ = mark.pos;
    top.has_key = true, top.key = key, top.key_place = place(mark), top.key_at = last_;
    if ((tag != "?" && tag != "!") || text_[last_] == '!') refuse_tag(last_);
    if (anchor != YAML::NullAnchor)
      mistake(top.key_place, "an anchor names a value, not a key; put it after the `:`");
    if (key == "<<" && tag == "?")
      mistake(top.key_place, "merge keys are not supported: write the keys out");
    const auto [first, is_new] = top.lines.try_emplace(key, top.key_place.line);
    if (!is_new)
      mistake(top.key_place, "duplicate key `" + shown(key) + "`; first given at line " +
                                 std::to_string(first->second));
  }

  // The value of an anchor; null while it is not complete. Its path has an index for each list or
  // map on the way to it; the lists and maps that are not complete yet are on the stack.
  const Yaml* anchored(YAML::anchor_t anchor) const {
    const std::vector<size_t>& path = paths_.at(anchor);
    size_t level = 0;
    while (level < path.size() && path[level] == count(stack_[level].value)) ++level;
    if (level == path.size()) return nullptr;
    const Yaml* value = &stack_[level].value;
    for (; level < path.size(); ++level) value = &child(*value, path[level]);
    return value;
  }

  // Counts the values and bytes that an alias is going to copy below `depth` lists and maps.
  void take(const Yaml& value, size_t depth, const Place& alias) {
    copied_ += value.text().size();
    for (const Yaml::Entry& entry : value.entries()) copied_ += entry.key.size();
    if (copied_ > max_copied) refuse(alias, "aliases repeat more than 16 MiB of text");
    if (++values_ > max_values)
      refuse(alias, "the text has more than 100,000 values once aliases are expanded");
    if (!value.is_list() && !value.is_map()) return;
    if (depth == max_depth)
      refuse(alias, "lists and maps are nested deeper than 64 once aliases are expanded");
    for (size_t i = 0; i < count(value); ++i) take(child(value, i), depth + 1, alias);
  }

  const YamlText& text_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, std::vector<size_t>> paths_;
  Mistakes mistakes_;
  size_t mistake_count_ = 0, values_ = 0, copied_ = 0;
  size_t last_ = 0;  // offset of the last key or value
  bool started_ = false;
};

}  // namespace

Yaml Yaml::parse(std::string_view text, const std::string& file) {
  const YamlText checked(text, file);
  Builder builder(checked);
  std::istringstream in(sealed(checked.bytes()));
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) continue;
  } catch (const YAML::Exception& error) {
    builder.syntax_error(error);
  }
  return builder.finish();
}

namespace {
// " (did you mean `vae.yaml`?)", of the files beside the one that is not there.
std::string near_file(const std::filesystem::path& file) {
  constexpr size_t most = 1000;
  std::vector<std::string> names;
  std::error_code denied;
  const auto folder = file.has_parent_path() ? file.parent_path() : ".";
  for (std::filesystem::directory_iterator at(folder, denied), end;
       !denied && at != end && names.size() < most; at.increment(denied))
    if (at->path().extension() == file.extension()) names.push_back(at->path().filename());
  return did_you_mean(file.filename().string(), names);
}
}  // namespace

Yaml Yaml::read(const std::filesystem::path& file) {
  const Place place{file.string()};
  std::error_code error;
  const auto type = std::filesystem::status(file, error).type();
  if (type == std::filesystem::file_type::not_found)
    throw Error(place, "there is no such file" + near_file(file));
  if (type == std::filesystem::file_type::directory)
    throw Error(place, "this is a directory, not a file");
  if (type == std::filesystem::file_type::none)
    throw Error(place, "the file cannot be read: " + error.message());
  if (type != std::filesystem::file_type::regular) throw Error(place, "this is not a regular file");
  // Without O_NONBLOCK some files that are called regular, such as /proc/kmsg, would be waited for.
  const int fd = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  std::string text(max_text_bytes + 4, '\0');  // more than allowed, with a byte order mark
  size_t size = 0;
  int failed = fd < 0 ? errno : 0;
  for (ssize_t got = 1; !failed && got != 0 && size < text.size();) {
    got = ::read(fd, text.data() + size, text.size() - size);
    if (got > 0) size += static_cast<size_t>(got);
    if (got < 0 && errno != EINTR) failed = errno;
  }
  if (fd >= 0) ::close(fd);
  if (failed)
    throw Error(place, "the file cannot be read: " + std::generic_category().message(failed));
  text.resize(size);
  return parse(text, file.string());
}

}  // namespace weft
