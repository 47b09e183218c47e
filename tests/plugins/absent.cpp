// A library that is there when a plugin is linked and gone when it is loaded.
__attribute__((visibility("default"))) int absent() {
  return 1;
}
