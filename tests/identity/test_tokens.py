"""Which tokens are believed."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_gateway.identity.keys import OneKey, read_key_file
from chat_gateway.identity.tokens import Claims, TokenCodec
from chat_protocol import limits
from chat_protocol.errors import ProtocolError
from tests.identity.key_files import key_file, new_private_key, public_pem
from tests.identity.refusals import refused
from tests.parts.clock import MovableClock
from tests.parts.settings import SECRET, make_settings

OTHER_SECRET = "another secret, and it is long enough as well"


def make_codec(clock: MovableClock, **changes: Any) -> TokenCodec:
    secret = SECRET.encode()
    return TokenCodec(OneKey(secret, secret), clock, make_settings(Path("nowhere"), **changes))


@pytest.fixture
def codec(clock: MovableClock) -> TokenCodec:
    return make_codec(clock)


def signed(
    clock: MovableClock,
    *,
    secret: str = SECRET,
    header: dict[str, Any] | None = None,
    without: str = "",
    **claims: Any,
) -> str:
    """A token as an outside issuer makes it."""
    wanted = {"sub": "mina", "exp": clock.now_ms() / 1000 + 60, **claims}
    wanted.pop(without, None)
    return raw_jwt({"alg": "HS256", "typ": "JWT", **(header or {})}, wanted, secret)


def raw_jwt(header: Any, claims: Any, secret: str = SECRET) -> str:
    """A JWT signed with HMAC-SHA256 whatever its header says: PyJWT would refuse to make some."""
    parts = [
        _base64(part if isinstance(part, bytes) else json.dumps(part).encode())
        for part in (header, claims)
    ]
    signature = hmac.digest(secret.encode(), ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, _base64(signature)])


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# --- what is believed ---------------------------------------------------------------------------


async def test_a_token_comes_back_as_it_was_made(codec: TokenCodec, clock: MovableClock) -> None:
    made = codec.make(account_id="mina-1", name="미나", login_id="login-1", lifetime_s=3600)

    assert await codec.read(made.token) == Claims(
        account_id="mina-1", name="미나", login_id="login-1", expires_at_ms=made.expires_at_ms
    )
    assert 0 <= made.expires_at_ms - clock.now_ms() - 3_600_000 <= 1000
    claims = jwt.decode(made.token, options={"verify_signature": False})
    assert set(claims) == {"sub", "sid", "name", "iat", "exp", "jti"}


async def test_two_tokens_are_never_the_same(codec: TokenCodec) -> None:
    one, two = (
        codec.make(account_id="mina", name="Mina", login_id="login", lifetime_s=60)
        for _ in range(2)
    )
    assert one.token != two.token


async def test_a_token_of_another_issuer_needs_no_more_than_sub_and_exp(
    codec: TokenCodec, clock: MovableClock
) -> None:
    claims = await codec.read(signed(clock, exp=clock.now_ms() // 1000 + 60))

    assert (claims.account_id, claims.name, claims.login_id) == ("mina", None, None)


# --- what is not --------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 5, ["HS256"]])
async def test_a_token_that_says_it_is_unsigned_is_refused(
    codec: TokenCodec, clock: MovableClock, algorithm: Any
) -> None:
    claims = {"sub": "mina", "exp": clock.now_ms() // 1000 + 60}
    whole = raw_jwt({"alg": algorithm, "typ": "JWT"}, claims)
    unsigned = whole.rpartition(".")[0] + "."

    for token in (whole, unsigned):
        with refused("invalid_token"):
            await codec.read(token)


async def test_a_token_signed_with_another_secret_is_refused(
    codec: TokenCodec, clock: MovableClock
) -> None:
    with refused("invalid_token"):
        await codec.read(signed(clock, secret=OTHER_SECRET))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_the_tokens_header_does_not_choose_the_algorithm(
    codec: TokenCodec, clock: MovableClock, algorithm: str
) -> None:
    claims = {"sub": "mina", "exp": clock.now_ms() // 1000 + 60}

    with refused("invalid_token"):
        await codec.read(jwt.encode(claims, SECRET * 2, algorithm))
    with refused("invalid_token"):
        await codec.read(raw_jwt({"alg": algorithm}, claims))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_a_public_key_is_never_taken_for_a_secret(
    tmp_path: Path, clock: MovableClock, algorithm: str
) -> None:
    """The old confusion: an HMAC keyed with the published PEM of the service's own key."""
    pem = public_pem(new_private_key(algorithm))
    keys = read_key_file(key_file(tmp_path, pem), algorithm)
    codec = TokenCodec(keys, clock, make_settings(tmp_path, jwt_algorithm=algorithm))

    for header in ({"alg": "HS256"}, {"alg": algorithm}):
        with refused("invalid_token"):
            await codec.read(signed(clock, secret=pem.decode(), header=header))


async def test_a_changed_token_is_refused_wherever_it_was_changed(
    codec: TokenCodec, clock: MovableClock
) -> None:
    token = signed(clock)
    for at in range(0, len(token), 3):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(ProtocolError) as error:
            await codec.read(changed)
        assert error.value.code == "invalid_token"


@pytest.mark.parametrize("claim", ["exp", "sub"])
async def test_exp_and_sub_are_required(codec: TokenCodec, clock: MovableClock, claim: str) -> None:
    with refused("invalid_token") as error:
        await codec.read(signed(clock, without=claim))
    assert f"`{claim}`" in error.value.message


@pytest.mark.parametrize(
    "exp",
    ["4000000000", True, float("nan"), float("inf"), -1, 1e300, 10**400, [], {"$gt": 0}],
    ids=str,
)
async def test_an_exp_that_is_no_point_in_time_is_refused(
    codec: TokenCodec, clock: MovableClock, exp: Any
) -> None:
    with refused("invalid_token"):
        await codec.read(signed(clock, exp=exp))


@pytest.mark.parametrize(
    "sub",
    ["", "x" * 65, " mina", "mina\n", "mi\x00na", "mi\ud800na", "a\u202eb", 5, True, {"$ne": ""}],
    ids=ascii,
)
async def test_a_sub_that_is_no_account_id_is_refused(
    codec: TokenCodec, clock: MovableClock, sub: Any
) -> None:
    with refused("invalid_token"):
        await codec.read(signed(clock, sub=sub))


@pytest.mark.parametrize("sub", ["x" * 64, "auth0|5f7c8ec7c33c6c004bbafe82", "미나", "a b"])
async def test_account_ids_of_other_issuers_are_taken_as_they_are(
    codec: TokenCodec, clock: MovableClock, sub: str
) -> None:
    assert (await codec.read(signed(clock, sub=sub))).account_id == sub


@pytest.mark.parametrize("sid", ["", 5, "x" * 65, "a\x00b", "a\ud800b", {"$ne": None}], ids=ascii)
async def test_a_sid_that_is_no_login_is_refused(
    codec: TokenCodec, clock: MovableClock, sid: Any
) -> None:
    with refused("invalid_token"):
        await codec.read(signed(clock, sid=sid))


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("미나 👩‍👩‍👧", "미나 👩‍👩‍👧"),
        ("  Mina ", "Mina"),
        ("x" * 100, "x" * limits.DISPLAY_NAME_MAX_CHARS),
        ("", None),
        ("mi\x00na", None),
        ("mi\ud800na", None),
        (5, None),
    ],
    ids=ascii,
)
async def test_a_name_that_can_be_shown_is_taken(
    codec: TokenCodec, clock: MovableClock, name: Any, taken: str | None
) -> None:
    assert (await codec.read(signed(clock, name=name))).name == taken


async def test_a_token_is_good_until_the_millisecond_it_expires(
    codec: TokenCodec, clock: MovableClock
) -> None:
    token = codec.make(account_id="mina", name="Mina", login_id="login", lifetime_s=60).token
    clock.advance(59)
    await codec.read(token)

    clock.advance(2)

    with refused("token_expired"):
        await codec.read(token)


async def test_an_expired_token_that_is_forged_is_not_even_expired(
    codec: TokenCodec, clock: MovableClock
) -> None:
    with refused("invalid_token"):
        await codec.read(signed(clock, secret=OTHER_SECRET, exp=1))


async def test_a_token_is_not_good_before_its_time_give_or_take_a_clock(
    codec: TokenCodec, clock: MovableClock
) -> None:
    now_s = clock.now_ms() // 1000
    await codec.read(signed(clock, nbf=now_s + 5))

    with refused("invalid_token"):
        await codec.read(signed(clock, nbf=now_s + 30))
    with refused("invalid_token"):
        await codec.read(signed(clock, nbf="soon"))


@pytest.mark.parametrize("aud", ["mail", ["mail", "files"], "", 5, None, {"$ne": None}], ids=str)
async def test_a_token_for_another_audience_is_refused(clock: MovableClock, aud: Any) -> None:
    codec = make_codec(clock, jwt_audience="chat")

    with refused("invalid_token"):
        await codec.read(signed(clock, aud=aud))


async def test_a_token_for_this_audience_among_others_is_taken(clock: MovableClock) -> None:
    codec = make_codec(clock, jwt_audience="chat")
    made = codec.make(account_id="mina", name="Mina", login_id="login", lifetime_s=60)

    await codec.read(signed(clock, aud="chat"))
    await codec.read(signed(clock, aud=["mail", "chat"]))
    await codec.read(made.token)


async def test_without_an_audience_of_ours_a_token_for_somebody_elses_is_refused(
    codec: TokenCodec, clock: MovableClock
) -> None:
    with refused("invalid_token") as error:
        await codec.read(signed(clock, aud="mail"))
    assert "audience" in error.value.message


DEEP = "[" * 3000 + "]" * 3000


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "not a token",
        "토큰.토큰.토큰",
        "\ud800.\ud800.\ud800",
        "eyJ\x00.e30.AA",
        "x" * (limits.TOKEN_MAX_CHARS + 1),
        ".".join(["x" * 3000] * 3),
        "x.y.z\n",
        f"{_base64(b'null')}.{_base64(b'{}')}.AA",
        f"{_base64(b'[]')}.{_base64(b'{}')}.AA",
        f"{_base64(DEEP.encode())}.e30.AA",
        f"{_base64(b'{' + b'9' * 5000)}.e30.AA",
        raw_jwt({"alg": "HS256"}, None),
        raw_jwt({"alg": "HS256"}, [1]),
        raw_jwt({"alg": "HS256"}, "text"),
        raw_jwt({"alg": "HS256", "kid": 5}, {"sub": "mina", "exp": 4e9}),
        raw_jwt({"alg": "HS256", "kid": {"$ne": 1}}, {"sub": "mina", "exp": 4e9}),
        raw_jwt({"alg": "HS256", "crit": ["b64"], "b64": False}, {"sub": "mina", "exp": 4e9}),
        raw_jwt({"alg": "HS256", "crit": ["new"], "new": 1}, {"sub": "mina", "exp": 4e9}),
        raw_jwt({"alg": "HS256", "zip": "DEF"}, "eJw"),
    ],
    ids=lambda token: ascii(token)[:40],
)
async def test_what_is_no_token_is_refused_and_nothing_else_happens(
    codec: TokenCodec, token: str
) -> None:
    with refused("invalid_token"):
        await codec.read(token)


async def test_a_deep_payload_is_refused_although_it_is_signed(codec: TokenCodec) -> None:
    with refused("invalid_token"):
        await codec.read(raw_jwt({"alg": "HS256"}, DEEP[500:-500].encode()))


CLOCK = MovableClock()
CODEC = make_codec(CLOCK)


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_.\-]*", fullmatch=True)))
async def test_no_text_makes_anything_but_a_refusal(text: str) -> None:
    with pytest.raises(ProtocolError):
        await CODEC.read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["sub", "exp", "nbf", "iat", "aud", "sid", "name"]), JSON))
async def test_no_signed_claims_make_anything_but_claims_or_a_refusal(
    claims: dict[str, Any],
) -> None:
    try:
        read = await CODEC.read(raw_jwt({"alg": "HS256"}, claims))
    except ProtocolError:
        return
    assert read.account_id.encode()
