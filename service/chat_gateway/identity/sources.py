"""Where the keys come from: whichever of the four ways the settings name."""

from chat_gateway.clock import Clock
from chat_gateway.config import Settings
from chat_gateway.identity.jwks import KeySet
from chat_gateway.identity.keys import Keys, OneKey, read_key_file
from chat_gateway.identity.secret import kept_secret


def load_keys(settings: Settings, clock: Clock) -> Keys:
    """The keys that the settings name; makes the secret where none is given.

    Raises `SettingsError`.
    """
    if settings.jwt_jwks_url is not None:
        return KeySet(settings.jwt_jwks_url, settings.jwt_algorithm, clock)
    if settings.jwt_key_file is not None:
        return read_key_file(settings.jwt_key_file, settings.jwt_algorithm)
    if settings.jwt_secret is not None:
        secret = settings.jwt_secret.encode()
    else:
        secret = kept_secret(settings.data_dir)
    return OneKey(secret, secret)
