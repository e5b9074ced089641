"""The servers of others, each written as its own documentation shows."""
