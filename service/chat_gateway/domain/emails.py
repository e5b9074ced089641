"""One way to write an email address, so that an account is found however it is typed."""

import unicodedata


def normal_email(email: str) -> str:
    """An address as accounts are stored and found by: trimmed, composed (NFC), lower-case."""
    return unicodedata.normalize("NFC", email.strip()).lower()
