"""The servers that are measured: this service, its peers, and the floor."""
