#include "framework/language/yaml.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <random>

namespace weft {
namespace {

// What the code says to the person who made the mistake, or "" if it refuses nothing.
std::string complaint(const std::function<void()>& code) {
  try {
    code();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::usage);
    return error.what();
  }
  return "";
}

std::string complaint(const std::string& text) {
  return complaint([&] { Yaml::parse(text, "f"); });
}

std::string repeated(const std::string& text, size_t bytes) {
  std::string all;
  while (all.size() + text.size() <= bytes) all += text;
  return all;
}

const char* const vae = R"(weft: 1
name: vae
about: >-
  Variational autoencoder
  on Fashion-MNIST
vars: {latent: 20, batch: 128}  # --set latent=32
modules:
  encoder:
    inputs: [x]
    nodes:
      h:    {node: linear, x: x, features: 400, activation: relu}
      mean: {node: linear, x: h, features: $latent}
    outputs: {mean: mean}
train:
  phases:
    - {minimize: loss, update: [encoder, decoder], optimizer: {node: adam, lr: 1e-3}}
    - name: 'second: "phase"'
      shape: [$count, [1, -2]]
  epochs:
)";

TEST(Yaml, ReadsAPipelineInTheOrderOfTheFile) {
  const Yaml yaml = Yaml::parse(vae, "vae.yaml");
  std::vector<std::string> keys;
  for (const Yaml::Entry& entry : yaml.entries()) keys.push_back(entry.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"weft", "name", "about", "vars", "modules", "train"}));
  EXPECT_EQ(yaml.find("about")->text(), "Variational autoencoder on Fashion-MNIST");
  EXPECT_TRUE(yaml.find("about")->quoted());
  EXPECT_FALSE(yaml.find("name")->quoted());
  EXPECT_EQ(yaml.find("nodes"), nullptr);
  const Yaml& phases = *yaml.find("train")->find("phases");
  ASSERT_EQ(phases.items().size(), 2);
  EXPECT_EQ(phases.items()[0].find("optimizer")->find("lr")->to_number("`lr`"), 1e-3);
  EXPECT_EQ(phases.items()[1].find("name")->text(), "second: \"phase\"");
  EXPECT_EQ(phases.items()[1].find("shape")->items()[1].items()[1].to_int("`shape`"), -2);
}

TEST(Yaml, KnowsThePlaceOfEveryKeyAndValue) {
  const Yaml yaml = Yaml::parse(vae, "vae.yaml");
  const auto at = [](const Place& place) { return place.str(); };
  const Yaml& h = *yaml.find("modules")->find("encoder")->find("nodes")->find("h");
  EXPECT_EQ(at(yaml.place()), "vae.yaml:1:1");
  EXPECT_EQ(at(yaml.find("about")->place()), "vae.yaml:3:8");
  EXPECT_EQ(at(h.place()), "vae.yaml:11:13");
  EXPECT_EQ(at(h.entries()[2].place), "vae.yaml:11:34");
  EXPECT_EQ(at(h.entries()[2].value.place()), "vae.yaml:11:44");
  EXPECT_EQ(at(yaml.find("train")->find("phases")->items()[1].place()), "vae.yaml:17:7");
  EXPECT_EQ(at(yaml.find("train")->find("epochs")->place()), "vae.yaml:19:3");
  EXPECT_EQ(at(Yaml::parse("", "e").place()), "e:1:1");
}

TEST(Yaml, PlacesCountCharactersAcrossEncodingsAndLineEnds) {
  const Yaml yaml = Yaml::parse("\xef\xbb\xbf# größe\r\né: {ü: 7, 日本: 𝄞, k: x}\r\nz: 1\r\n", "f");
  const std::vector<Yaml::Entry>& entries = yaml.find("é")->entries();
  EXPECT_EQ(entries[1].value.text(), "𝄞");
  EXPECT_EQ(entries[1].value.place().str(), "f:2:15");
  EXPECT_EQ(entries[2].value.place().str(), "f:2:21");
  EXPECT_EQ(yaml.find("z")->place().str(), "f:3:4");
}

TEST(Yaml, NullsStandWhereTheyAreMissing) {
  const auto place = [](const std::string& text, const std::function<Yaml(Yaml)>& of) {
    const Yaml value = of(Yaml::parse(text, "f"));
    EXPECT_TRUE(value.is_null()) << text;
    return value.place().str();
  };
  const auto entry = [](Yaml yaml) { return yaml.entries()[0].value; };
  const auto item = [](Yaml yaml) { return yaml.items()[1]; };
  EXPECT_EQ(place("null", [](Yaml yaml) { return yaml; }), "f:1:1");
  EXPECT_EQ(place("a:\nnull_a: 1", entry), "f:1:1");
  EXPECT_EQ(place("a: # nothing\nb: 1", entry), "f:1:1");
  EXPECT_EQ(place("a: ~\nb: 1", entry), "f:1:4");
  EXPECT_EQ(place("a: {b: , c: 1}", [&](Yaml yaml) { return entry(entry(yaml)); }), "f:1:5");
  EXPECT_EQ(place("- 1\n-\n\n- 2", item), "f:2:1");
  EXPECT_EQ(place("- 1\n-", item), "f:2:1");
  EXPECT_EQ(place("[1, NULL]", item), "f:1:5");
}

TEST(Yaml, AliasesCopyWhatTheyName) {
  const Yaml yaml = Yaml::parse(
      "a: &a {lr: 1, betas: &b [0, &c 1]}\n"
      "b: [*a, *b, *c]\n"
      "a2: &a 5\n"
      "last: [*a, {b: *b}]\n",
      "f");
  const Yaml &b = *yaml.find("b"), &last = *yaml.find("last");
  EXPECT_EQ(b.items()[0], *yaml.find("a"));
  EXPECT_EQ(b.items()[1], *yaml.find("a")->find("betas"));
  EXPECT_EQ(b.items()[2].text(), "1");
  EXPECT_EQ(b.items()[2].place().str(), "f:1:29");
  EXPECT_EQ(last.items()[0].text(), "5");
  EXPECT_EQ(*last.items()[1].find("b"), b.items()[1]);
}

TEST(Yaml, RefusesWithASentence) {
  const std::pair<std::string, std::string> cases[] = {
      {"a: 1\nb: 2\n\"a\": 3", "f:3:1: duplicate key `a`; first given at line 1"},
      {"{lr: 1, lr: 2}", "f:1:9: duplicate key `lr`; first given at line 1"},
      {"a: &a {b: 1}\nc:\n  <<: *a", "f:3:3: merge keys are not supported: write the keys out"},
      {"a: !!str 5", "f:1:4: tags are not supported; remove `!!str`"},
      {"a: ! 5", "f:1:4: tags are not supported; remove `!`"},
      {"a: &x !node {b: 1}", "f:1:4: tags are not supported; remove `!node`"},
      {"!k a: 5", "f:1:1: tags are not supported; remove `!k`"},
      {"a: [1, *b]", "f:1:8: alias `*b` has no anchor before it"},
      {"a: &a [1, {b: *a}]", "f:1:15: alias `*a` stands inside its own anchor"},
      {"&k a: 1", "f:1:1: an anchor names a value, not a key; put it after the `:`"},
      {"&k a: *k", "f:1:1: an anchor names a value, not a key; put it after the `:`"},
      {"? [1, 2]\n: 3", "f:1:3: a key must be text, but is a list"},
      {"x: {{batch}}", "f:1:5: a key must be text, but is a map; quote text that starts with `{`"},
      {"a: &a x\n*a : 1", "f:2:1: a key must be text, but is an alias"},
      {": 1", "f:1:1: a key must be text, but is null"},
      {"a: 1\n---\nb: 2", "f:2:1: a second document starts here, but a file holds one"},
      {"a: 1\n---\n", "f:2:1: a second document starts here, but a file holds one"},
      {"- a\nb: 1",
       "f:2:1: this does not belong to what stands above; check indentation and brackets"},
      {"[a] b", "f:1:5: this does not belong to what stands above; check indentation and brackets"},
      {"a: 1\nfeatures 400", "f:2:1: there is no `:` after `features 400`"},
      {"%YAML 1.2\n---\na",
       "f:1:1: a line cannot start with `%`; YAML directives are not supported"}};
  for (const auto& [text, sentence] : cases) EXPECT_EQ(complaint(text), sentence) << text;
}

TEST(Yaml, ExplainsMistakesOfSyntax) {
  const std::pair<std::string, std::string> cases[] = {
      {"a: [1, 2\n", "f:1:4: a list in `[ ]` is not closed, or a comma is missing"},
      {"x:\n  - {node: a, b: 1\n  - {node: b}\n",
       "f:3:5: a map in `{ }` is not closed, or a comma is missing, or quotes around a text with "
       "`[` or `{`; it starts at line 2"},
      {"train:\n  epochs:3\n  save: {keep: 3}\n",
       "f:2:3: `epochs:3` needs a space after the colon: `epochs: 3`"},
      {"name:mine\nweft: 1\n", "f:1:1: `name:mine` needs a space after the colon: `name: mine`"},
      {"weft: 1\nepochs 3\nname: a\n",
       "f:2:1: `epochs 3` is a key without a value: write `epochs: 3`"},
      {"a: {features:128, x: h}",
       "f:1:5: `features:128` needs a space after the colon: `features: 128`"},
      {"[1, 2", "f:1:1: a list in `[ ]` is not closed, or a comma is missing"},
      {"a: {b: 1 c: 2}",
       "f:1:11: a map in `{ }` is not closed, or a comma is missing, or quotes around a text with "
       "`[` or `{`; it starts at line 1"},
      {"a: {b: [1}", "f:1:10: this bracket does not close the last one that was opened"},
      {"a:\n  b: 1\n c: 2",
       "f:3:2: this does not fit the map above it; check indentation and quotes"},
      {"a: \"x\" y", "f:1:8: this does not fit the map above it; check indentation and quotes"},
      {"a:\n  - 1\n  b: 2",
       "f:3:3: this does not fit the map above it; check indentation and quotes"},
      {"a: b: c", "f:1:5: a `:` cannot stand here; check the indentation, or quote the text"},
      {"a:\n\tb: 1", "f:2:3: the indentation of this line has a tab; indent with spaces"},
      {"a: - b", "f:1:4: a list item cannot start here; put its `-` on a line of its own"},
      {"a: @x", "f:1:4: this character cannot stand here; quote the text"},
      {"a: 1\nb: 'x\nc: 2\n\n", "f:2:1: a quote that opens after this is never closed"},
      {"a: \"x", "f:1:1: a quote that opens after this is never closed"},
      {"a: 1\nb: '", "f:2:1: a quote that opens after this is never closed"},
      {"a: \"x\n---\n\"", "f:2:1: `---` starts a line within quotes; indent it"},
      {"a: |x", "f:1:5: nothing but a comment may follow `|` or `>`"},
      {"a: \"\\d\"", "f:1:7: an unknown `\\` escape; in single quotes a `\\` is a plain character"},
      {"a: \"\\ud800\"", "f:1:11: a `\\` escape of a character that does not exist"},
      {"a: &", "f:1:5: this is not YAML: anchor not found after &"}};
  for (const auto& [text, sentence] : cases) EXPECT_EQ(complaint(text), sentence) << text;
}

TEST(Yaml, RefusesBytesThatAreNotText) {
  using namespace std::string_literals;
  const std::string utf8 = "the text is not UTF-8", control = "a control character; remove it";
  const std::pair<std::string, std::string> cases[] = {
      {"a: 1\nü: \xff", "f:2:4: " + utf8},
      {"a: \xc0\xaf", "f:1:4: " + utf8},
      {"a: \xe0\x80\xaf", "f:1:4: " + utf8},
      {"a: \xed\xa0\x80", "f:1:4: " + utf8},
      {"a: \xf4\x90\x80\x80", "f:1:4: " + utf8},
      {"a: \xe2\x82", "f:1:4: " + utf8},
      {"a: \0"s, "f:1:4: a zero byte; this is not a text file"},
      {"a\0:\0"s, "f:1:2: a zero byte; this is not a text file"},
      {"\xff\xfe"
       "a",
       "f:1:1: " + utf8},
      {"a: \x1b[31m", "f:1:4: " + control},
      {"a: \x7f", "f:1:4: " + control},
      {"a: \xc2\x9b", "f:1:4: " + control},
      {"\xef\xbb\xbf\xef\xbb\xbf"
       "a",
       "f:1:1: a byte order mark within the text; remove it"},
      {"a: 1\rb: 2", "f:1:5: a carriage return without a line feed; end lines with a line feed"}};
  for (const auto& [text, sentence] : cases) EXPECT_EQ(complaint(text), sentence) << text;
  EXPECT_EQ(complaint("a: \t\"\\0\\x1b\"\r\n"), "");
}

TEST(Yaml, ReportsAllMistakesOfAFileAtOnce) {
  const std::string said = complaint("a: 1\na: 2\nb: !x 3\n<<: 4\nc: [1\n");
  EXPECT_EQ(said,
            "f:2:1: duplicate key `a`; first given at line 1\n"
            "f:3:4: tags are not supported; remove `!x`\n"
            "f:4:1: merge keys are not supported: write the keys out\n"
            "f:5:4: a list in `[ ]` is not closed, or a comma is missing");
  const std::string many = complaint(repeated("a: 1\n", 1 << 20));
  EXPECT_EQ(std::count(many.begin(), many.end(), '\n'), 99);
}

TEST(Yaml, ShortensWhatItRepeatsOfTheText) {
  const std::string key(100'000, 'k'), cut(60, 'k');
  EXPECT_EQ(complaint("? " + key + "\n: 1\n? " + key + "\n: 2\n"),
            "f:3:3: duplicate key `" + cut + "…`; first given at line 1");
  EXPECT_EQ(complaint("\"a\\e\\n\": 1\n\"a\\e\\n\": 1"),
            "f:2:1: duplicate key `a??`; first given at line 1");
}

TEST(Yaml, LimitsSizeDepthValuesAndCopies) {
  const std::string deep = "nested deeper than 64", values = "more than 100,000 values";
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(complaint("a: " + std::string((1 << 20) - 3, 'x')), "");
  EXPECT_EQ(complaint("a: " + std::string((1 << 20) - 2, 'x')), "f: the text is larger than 1 MiB");
  EXPECT_EQ(complaint(nested(64)), "");
  EXPECT_EQ(complaint(nested(65)), "f:1:65: lists and maps are " + deep);
  EXPECT_EQ(complaint("- &a " + nested(62) + "\n- [*a]"), "");
  EXPECT_EQ(complaint("- &a " + nested(62) + "\n- [[*a]]"),
            "f:2:5: lists and maps are " + deep + " once aliases are expanded");
  EXPECT_EQ(complaint(repeated("- 1\n", 4 * 99'999)), "");
  EXPECT_EQ(complaint(repeated("- 1\n", 4 * 100'000)), "f:100000:3: the text has " + values);

  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'k'; ++name) {
    const std::string alias{'*', static_cast<char>(name - 1)};
    bomb += std::string(1, name) + ": &" + name + " [" + repeated(alias + ", ", 45) + alias + "]\n";
  }
  EXPECT_NE(complaint(bomb).find(values + " once aliases are expanded"), std::string::npos);
  EXPECT_EQ(complaint("- &a " + std::string(500'000, 'x') + "\n" + repeated("- *a\n", 300)),
            "f:35:3: aliases repeat more than 16 MiB of text");
}

// Every text here made some parser hang, overflow its stack or allocate without bound.
TEST(Yaml, SurvivesHostileTexts) {
  const char* const units[] = {
      "[",      "{",        "- ",    "? ",      ": ",     "a: ",      "[a: ",        "{a: ", "[a,",
      "[\n",    "{\n",      "?\n",   "? - ",    "- ? ",   "&a [",     "- &a ",       "&a ",  "!a ",
      "*a ",    "\"",       "'",     "|\n",     "- |\n",  "\t",       "\n",          "#\n",  "a\n",
      "a ",     "\"a\\n",   "---\n", "...\n",   "[[],",   "{},",      "\\",          "]",    ",",
      "a: 1\n", "- !a b\n", "<<: ",  "\"a\": ", "- *a\n", "\xc3\xa9", "\xef\xbb\xbf"};
  for (const std::string unit : units) {
    EXPECT_LT(complaint(repeated(unit, 1 << 15)).size(), 20'000) << unit;
    for (const std::string head : {"[", "{", "a: |\n", "\"", "- &a 1\n"})
      EXPECT_LT(complaint(head + repeated(unit, 1 << 11)).size(), 20'000) << head << unit;
  }
  const std::string deep = "lists and maps are nested deeper than 64";
  EXPECT_EQ(complaint(repeated("[", 1 << 20)), "f:1:33: " + deep);
  EXPECT_EQ(complaint(repeated("- ", 1 << 20)), "f:1:129: " + deep);
  EXPECT_EQ(complaint(repeated("{a: ", 1 << 20)), "f:1:253: " + deep);
  EXPECT_EQ(complaint(repeated("{", 1 << 20)), "f:1:64: " + deep);
  EXPECT_EQ(complaint(repeated("? ", 1 << 20)), "f:1:129: " + deep);
  std::string stairs;
  for (size_t depth = 0; stairs.size() < 1'000'000; ++depth)
    stairs += std::string(depth, ' ') + "a:\n";
  EXPECT_EQ(complaint(stairs), "f:65:65: " + deep);
}

TEST(Yaml, ReadsFilesAndNothingElse) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("weft_yaml_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto read = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return Yaml::read(folder / name);
  };
  const auto refused = [](const std::filesystem::path& file) {
    const std::string said = complaint([&] { Yaml::read(file); });
    EXPECT_TRUE(said.starts_with(file.string() + ": ")) << said;
    return said.substr(std::min(said.size(), file.string().size() + 2));
  };
  EXPECT_EQ(read("a.yaml", "a: 1\n").find("a")->place().str(),
            (folder / "a.yaml").string() + ":1:4");
  EXPECT_EQ(complaint([&] { read("b", "\xef\xbb\xbf" + std::string(1 << 20, 'x')); }), "");
  EXPECT_NE(complaint([&] { read("c", std::string((1 << 20) + 1, 'x')); }), "");
  std::filesystem::resize_file(folder / "c", uintmax_t{1} << 40);
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(refused(folder / "c"), "the text is larger than 1 MiB");
  EXPECT_EQ(refused(folder / "none.yaml"), "there is no such file");
  EXPECT_EQ(refused(folder / "a.yaml" / "b"), "there is no such file");
  EXPECT_EQ(refused(folder), "this is a directory, not a file");
  EXPECT_EQ(refused(folder / "fifo"), "this is not a regular file");
  EXPECT_EQ(refused("/dev/zero"), "this is not a regular file");
  std::filesystem::create_symlink("loop", folder / "loop");
  EXPECT_TRUE(refused(folder / "loop").starts_with("the file cannot be read: "));
  std::filesystem::permissions(folder / "a.yaml", std::filesystem::perms::none);
  if (::geteuid() != 0) {
    EXPECT_EQ(refused(folder / "a.yaml"), "the file cannot be read: Permission denied");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft
