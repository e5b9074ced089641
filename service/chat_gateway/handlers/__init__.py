"""Use cases, a file each."""
