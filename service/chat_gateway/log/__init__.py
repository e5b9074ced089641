"""One writer for all appends of this node."""
