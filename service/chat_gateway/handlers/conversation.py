"""One connection's life, the same on both wires: admitted, greeted, obeyed, forgotten."""
