// Calls what no library has, what weft has not, and what a library has that nobody named.
extern "C" int sf_close(void*);  // of libsndfile, which weft's own plugin of data needs
int nobody_defines_this();
namespace weft {
struct Node {
  void later();
};
}  // namespace weft
extern "C" int called(weft::Node* node) {
  node->later();
  return sf_close(node) + nobody_defines_this();
}
