"""The secret that signs tokens where none is given: made once, and kept in the data dir."""

import os
import secrets
from pathlib import Path
from typing import Final

from chat_gateway.config import SECRET_MIN_BYTES, SettingsError

FILE_NAME: Final = "jwt-secret"


def kept_secret(data_dir: Path) -> bytes:
    """The secret of this data dir, made where there is none; its file is the owner's alone (0600).

    Of several that start at once, all get the same one. Raises `SettingsError` where the file
    cannot be made or read, or holds less than a secret.
    """
    path = data_dir / FILE_NAME
    try:
        if not path.exists():
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(
            f"CHAT_DATA_DIR: cannot keep the JWT secret in {path}: {error.strerror or error}"
        ) from None
    if len(secret) < SECRET_MIN_BYTES:
        raise SettingsError(
            f"CHAT_DATA_DIR: {path} holds less than {SECRET_MIN_BYTES} bytes; remove it to have a"
            " new secret made (all tokens end), or restore it"
        )
    return secret


def _make(path: Path) -> None:
    """Write a new secret where no file is yet; it appears whole or not at all."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, never replaces the one that was first
        except FileExistsError:
            return
    finally:
        draft.unlink()
