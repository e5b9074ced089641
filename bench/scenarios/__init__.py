"""The scenarios: each measures some servers in some cases and yields rows."""
