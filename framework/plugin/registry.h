// The node kinds of all loaded plugins, by name.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/node/plugin.h"

namespace weft {

struct Plugin {
  std::string name;
  std::string version;
  std::filesystem::path file;
};

// Is this a name of a plugin or a node: a lower_snake word below 64 characters?
bool is_word(std::string_view name);

class Registry {
 public:
  struct Entry {
    const NodeKind* kind;
    std::string plugin;
    std::string file;
  };

  // Throws Error(Exit::plugin) if the plugin's name is taken or is no lower_snake word.
  void check_name(const Plugin& plugin) const;
  // Adds a plugin and its kinds, a list that starts at `head`. Throws as check_name() does, for its
  // name and those of its kinds.
  void add(const Plugin& plugin, const NodeKind* head);

  const Entry* find(std::string_view name) const;  // null if no plugin has it
  const Plugin* plugin(std::string_view name) const;
  std::vector<std::string> names() const;                          // sorted
  const std::vector<Plugin>& plugins() const { return plugins_; }  // in the order of loading

  // Makes a new node. Throws Error if there is no such kind, and Error(Exit::plugin) for whatever
  // the node's constructor throws.
  std::unique_ptr<Node> make(const std::string& name) const;

 private:
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<Plugin> plugins_;
};

}  // namespace weft
