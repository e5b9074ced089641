"""Key files: which are taken, and what they can do."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from chat_gateway.config import SettingsError
from chat_gateway.identity.keys import read_key_file
from chat_gateway.identity.tokens import TokenCodec
from tests.identity.conftest import MakeAccounts
from tests.identity.key_files import key_file, new_private_key, private_pem, public_pem
from tests.identity.refusals import refused
from tests.parts.clock import MovableClock
from tests.parts.settings import make_settings

ASYMMETRIC = ("RS256", "ES256", "EdDSA")


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
async def test_a_private_key_signs_and_verifies(
    tmp_path: Path, clock: MovableClock, algorithm: str
) -> None:
    private = new_private_key(algorithm)
    keys = read_key_file(key_file(tmp_path, private_pem(private)), algorithm)
    codec = TokenCodec(keys, clock, make_settings(tmp_path, jwt_algorithm=algorithm))

    made = codec.make(account_id="mina", name="Mina", login_id="login", lifetime_s=60)

    claims = await codec.read(made.token)
    assert (claims.account_id, claims.name, claims.login_id) == ("mina", "Mina", "login")
    assert jwt.get_unverified_header(made.token)["alg"] == algorithm


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
async def test_with_a_public_key_tokens_are_verified_but_accounts_are_elsewhere(
    tmp_path: Path, clock: MovableClock, make_accounts: MakeAccounts, algorithm: str
) -> None:
    private = new_private_key(algorithm)
    accounts = make_accounts(
        jwt_secret=None,
        jwt_algorithm=algorithm,
        jwt_key_file=key_file(tmp_path, public_pem(private)),
    )
    claims = {"sub": "mina", "exp": clock.now_ms() // 1000 + 60, "sid": "the issuer's own"}

    caller = await accounts.authenticate(jwt.encode(claims, private, algorithm))

    assert caller.account_id == "mina"
    assert caller.login_id is None
    with refused("accounts_elsewhere"):
        await accounts.sign_up("mina@example.com", "long enough", "Mina", address="127.0.0.1")
    with refused("accounts_elsewhere"):
        await accounts.log_in("mina@example.com", "long enough", address="127.0.0.1")
    with refused("accounts_elsewhere"):
        await accounts.refresh("login." + "x" * 43)
    with refused("accounts_elsewhere"):
        await accounts.log_out(caller)


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_key_of_another_kind_stops_the_start(tmp_path: Path, algorithm: str) -> None:
    for other in ASYMMETRIC:
        if other == algorithm:
            continue
        for pem in (private_pem(new_private_key(other)), public_pem(new_private_key(other))):
            with pytest.raises(SettingsError, match=f"as {algorithm} needs"):
                read_key_file(key_file(tmp_path, pem), algorithm)


@pytest.mark.parametrize(
    ("algorithm", "pem"),
    [
        ("RS256", private_pem(rsa.generate_private_key(65537, 1024))),
        ("ES256", private_pem(ec.generate_private_key(ec.SECP384R1()))),
        ("EdDSA", private_pem(ed448.Ed448PrivateKey.generate())),
    ],
    ids=["short RSA", "P-384", "Ed448"],
)
def test_a_weak_or_strange_key_stops_the_start(tmp_path: Path, algorithm: str, pem: bytes) -> None:
    with pytest.raises(SettingsError, match=f"as {algorithm} needs"):
        read_key_file(key_file(tmp_path, pem), algorithm)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"garbage",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        private_pem(new_private_key("ES256"), passphrase=b"sesame"),
    ],
    ids=["empty", "garbage", "broken", "encrypted"],
)
def test_a_file_that_holds_no_usable_key_stops_the_start(tmp_path: Path, pem: bytes) -> None:
    with pytest.raises(SettingsError, match="CHAT_JWT_KEY_FILE") as error:
        read_key_file(key_file(tmp_path, pem), "ES256")
    assert "\n" not in str(error.value)


def test_a_key_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CHAT_JWT_KEY_FILE: cannot read"):
        read_key_file(tmp_path / "nowhere.pem", "RS256")
