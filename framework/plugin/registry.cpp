#include "framework/plugin/registry.h"

#include <algorithm>

#include "framework/node/did_you_mean.h"

namespace weft {

bool is_word(std::string_view word) {
  return !word.empty() && word.size() < 64 && word[0] >= 'a' && word[0] <= 'z' &&
         std::ranges::all_of(word, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

void Registry::check_name(const Plugin& plugin) const {
  const std::string file = plugin.file.string();
  if (!is_word(plugin.name))
    throw Error(Exit::plugin, file + " has the name `" + plugin.name + "`, no lower_snake word");
  if (const Plugin* other = this->plugin(plugin.name))
    throw Error(Exit::plugin, "two plugins have the name `" + plugin.name + "`, " +
                                  other->file.string() + " and " + file + ": keep one");
}

void Registry::add(const Plugin& plugin, const NodeKind* head) {
  check_name(plugin);
  const std::string file = plugin.file.string();
  std::map<std::string, Entry, std::less<>> own;
  for (const NodeKind* kind = head; kind; kind = kind->next) {
    if (!kind->name || !is_word(kind->name) || !kind->make)
      throw Error(Exit::plugin, file + " has a node whose name is not a lower_snake word");
    const std::string node = std::string("the node `") + kind->name + "`";
    if (!own.try_emplace(kind->name, Entry{kind, plugin.name, file}).second)
      throw Error(Exit::plugin, file + " has " + node + " twice");
    if (const Entry* other = find(kind->name))
      throw Error(Exit::plugin,
                  "two plugins have " + node + ", " + other->file + " and " + file + ": keep one");
  }
  entries_.merge(own);
  plugins_.push_back(plugin);
}

const Registry::Entry* Registry::find(std::string_view name) const {
  const auto place = entries_.find(name);
  return place == entries_.end() ? nullptr : &place->second;
}

const Plugin* Registry::plugin(std::string_view name) const {
  const auto place = std::ranges::find(plugins_, name, &Plugin::name);
  return place == plugins_.end() ? nullptr : &*place;
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> all;
  for (const auto& [name, entry] : entries_) all.push_back(name);
  return all;
}

std::unique_ptr<Node> Registry::make(const std::string& name) const {
  const Entry* entry = find(name);
  if (!entry) throw Error("no plugin has a node `" + name + "`" + did_you_mean(name, names()));
  const std::string subject = entry->file + ": the node `" + name + "` ";
  try {
    if (auto node = entry->kind->make()) return node;
  } catch (const std::exception& error) {
    throw Error(Exit::plugin, subject + "throws when it is made: " + error.what());
  } catch (...) {
    throw Error(Exit::plugin, subject + "throws when it is made");
  }
  throw Error(Exit::plugin, subject + "is null when it is made");
}

}  // namespace weft
