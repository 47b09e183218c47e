// What a plugin shows to its host. A node file only says WEFT_NODE; `plugins/CMakeLists.txt` says
// which node files make which plugin and generates the plugin's entry.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "framework/node/node.h"

namespace weft {

// Does the class take this function from Node, rather than override it?
template <class T>
constexpr bool inherits_backward = requires {
  requires std::is_same_v<decltype(&T::backward), void (Node::*)(const Step&)>;
};
template <class T>
constexpr bool inherits_learn = requires {
  requires std::is_same_v<decltype(&T::learn), void (Node::*)(const Step&)>;
};

// What a test cannot know of a node, and its last arguments of WEFT_NODE say.
struct Traits {
  // The outputs, "y" or "y z", through which backward() is by intent not the derivative of
  // forward(): straight-through estimators, reversed gradients.
  const char* inexact = "";
  // True if, in training, outputs depend on states that earlier steps left: a codebook of moving
  // averages. What normalises by its batch and keeps running means for evaluation does not.
  bool follows_state = false;
  // True if training never changes its states: fixed frequencies, a random projection.
  bool fixed_state = false;
};

// One kind of node. `example` is a YAML flow map that the tests run: a port is given the shape of
// its input (`x: [2, 3, 5]`; for integers `{shape: [4], below: 10}`, for numbers that must not be
// negative `{shape: [2, 3], above: 0}`), a param its value.
struct NodeKind {
  const char* name;
  const char* about;
  const char* example;
  std::unique_ptr<Node> (*make)();
  bool has_backward, has_learn;
  const NodeKind* next = nullptr;  // the next kind of the same plugin
  Traits traits = {};
};

// The version of what plugins are compiled against: it is raised with every change in this folder.
constexpr uint32_t plugin_abi = 11;

// The constant data in the section `.weft` of a plugin's file, which are read before any of its
// code is loaded.
struct PluginStamp {
  char magic[8];     // "weftplug"
  uint32_t abi;      // plugin_abi
  uint32_t size;     // bytes of this struct
  char name[64];     // "layers"
  char version[32];  // the plugin's own
  char build[256];   // build_string(), compared as text
};
static_assert(sizeof(PluginStamp) == 368);

// What this library was built with: "weft 0.1.0 | gcc 12 | C++20 cxx11abi".
WEFT_API const char* build_string();

// The head of this plugin's list of kinds; each plugin has its own (hidden visibility).
__attribute__((visibility("hidden"))) extern const NodeKind* plugin_kinds;

}  // namespace weft

// WEFT_NODE(Quantise, "quantise", "The nearest code.", "{x: [4, 3]}", .inexact = "y")
#define WEFT_NODE(Class, node_name, about_text, example_text, ...)                 \
  ::weft::NodeKind Class##_kind{                                                   \
      node_name,                                                                   \
      about_text,                                                                  \
      example_text,                                                                \
      []() -> std::unique_ptr<::weft::Node> { return std::make_unique<Class>(); }, \
      !::weft::inherits_backward<Class>,                                           \
      !::weft::inherits_learn<Class>,                                              \
      ::weft::plugin_kinds,                                                        \
      ::weft::Traits{__VA_ARGS__}};                                                \
  const bool Class##_listed = (::weft::plugin_kinds = &Class##_kind, true);
