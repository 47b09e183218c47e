// A plugin without a node.
