"""What signs and verifies tokens: one algorithm, which the settings name and a token never does."""

from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from chat_gateway.config import SettingsError

RSA_MIN_BITS: Final = 2048

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
SigningKey = bytes | PrivateKey
VerifyingKey = bytes | PublicKey


class Keys(Protocol):
    """The keys of this service, all of one algorithm."""

    @property
    def signing(self) -> SigningKey | None:
        """The key that signs; None where tokens are made elsewhere."""
        ...

    @property
    def are_named(self) -> bool:
        """Whether there may be several, so that a token has to name its own."""
        ...

    async def verifying(self, key_id: str | None) -> VerifyingKey:
        """The key that verifies a token which names `key_id`.

        Raises `invalid_token` where there is no such key, `keys_unavailable` where that cannot be
        known now.
        """
        ...


class OneKey:
    """A secret or a key file: the same key for every token, whatever it names."""

    are_named: Final = False

    def __init__(self, signing: SigningKey | None, verifying: VerifyingKey) -> None:
        self.signing = signing
        self._verifying = verifying

    async def verifying(self, key_id: str | None) -> VerifyingKey:
        """The key."""
        return self._verifying


def read_key_file(path: Path, algorithm: str) -> OneKey:
    """The key of a PEM file: a private one signs and verifies, a public one only verifies.

    Raises `SettingsError` where it cannot be read or is no key of this algorithm.
    """
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"CHAT_JWT_KEY_FILE: cannot read {path}: {error.strerror}") from None
    try:
        private = load_pem_private_key(pem, password=None) if b"PRIVATE KEY" in pem else None
        public = load_pem_public_key(pem) if private is None else private.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(
            f"CHAT_JWT_KEY_FILE: {path} is no PEM file with a public key or an unencrypted"
            " private key"
        ) from None
    verifying = key_for(algorithm, public)
    if verifying is None:
        raise SettingsError(f"CHAT_JWT_KEY_FILE: {path} holds no {_KINDS[algorithm]}")
    return OneKey(private if isinstance(private, PrivateKey) else None, verifying)


_KINDS: Final = {
    "RS256": f"RSA key of {RSA_MIN_BITS} bits or more, as RS256 needs",
    "ES256": "P-256 key, as ES256 needs",
    "EdDSA": "Ed25519 key, as EdDSA needs",
}


def key_for(algorithm: str, public: object) -> PublicKey | None:
    """`public` where it is a key that `algorithm` takes, else None."""
    match algorithm, public:
        case "RS256", RSAPublicKey() if public.key_size >= RSA_MIN_BITS:
            return public
        case "ES256", EllipticCurvePublicKey() if isinstance(public.curve, SECP256R1):
            return public
        case "EdDSA", Ed25519PublicKey():
            return public
    return None
