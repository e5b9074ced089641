"""New ids: unguessable, and in the order of their making so that an index grows at its end."""

import secrets


def new_id(now_ms: int) -> str:
    """32 hex digits: 48 bits of time, 80 random bits (the layout of a ULID)."""
    return f"{now_ms:012x}{secrets.token_hex(10)}"
