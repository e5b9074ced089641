"""Key pairs of every kind, made on the spot, and the PEM files that hold them."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


def new_private_key(algorithm: str) -> Any:
    """A private key that signs with this algorithm."""
    match algorithm:
        case "RS256":
            return rsa.generate_private_key(65537, 2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def private_pem(key: Any, passphrase: bytes | None = None) -> bytes:
    """PKCS 8."""
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return pem


def public_pem(key: Any) -> bytes:
    """The public half of a private key."""
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def key_file(folder: Path, pem: bytes) -> Path:
    """A file that holds `pem`."""
    path = folder / "key.pem"
    path.write_bytes(pem)
    return path
