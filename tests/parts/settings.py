"""Settings for a service under test: all defaults, in a folder of its own, on loopback."""

from pathlib import Path
from typing import Any

from chat_gateway.config import Settings

SECRET = "a secret of the tests, long enough for HS256"


def make_settings(data_dir: Path, **changes: Any) -> Settings:
    """Settings with the embedded store in `data_dir`, and `changes`."""
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "data_dir": data_dir,
        "store": f"sqlite:///{data_dir / 'chat.db'}",
        "log_level": "info",
        "log_format": "text",
        "public_url": "http://localhost:8080",
        "allowed_origins": ("http://localhost:5173",),
        "rate_limits": True,
        "connections_per_account": 200,
        "connections_per_address": 1000,
        "token_lifetime_s": 3600,
        "refresh_lifetime_s": 30 * 24 * 3600,
        "jwt_algorithm": "HS256",
        "jwt_secret": SECRET,
        "jwt_key_file": None,
        "jwt_jwks_url": None,
        "jwt_audience": None,
        "heartbeat_s": 25.0,
        "drain_s": 10.0,
        **changes,
    }
    return Settings(**values)
