"""Every way to say who one is, and what the others are told."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import aiohttp
import jwt
import pytest

from chat_protocol import limits
from chat_protocol.errors import REGISTRY
from tests.parts.clients import ChatClient, Refused, RefusedByHttp, Said
from tests.parts.clock import MovableClock
from tests.parts.node import Node
from tests.parts.node_clients import NodeRawClient, NodeSocketIoClient
from tests.parts.people import Api, Person, new_person, sign_token
from tests.parts.raw_clients import RawSocket
from tests.parts.service import WIRES, Connect, Serve, ways
from tests.parts.socketio_clients import PacketSocket


def raw_url(api: Api, query: str = "") -> str:
    return f"{api.url.replace('http', 'ws', 1)}/ws/chat{query}"


# --- coming in ----------------------------------------------------------------------------------


async def test_a_raw_client_may_send_its_token_as_a_bearer_header(service: Api) -> None:
    mina = new_person()
    socket = await RawSocket.open(
        raw_url(service), headers={"Authorization": f"Bearer {mina.token}"}
    )

    ready = await socket.receive_object("ready")

    assert ready["accountId"] == mina.account_id
    await socket.close()


async def test_a_raw_client_may_send_its_token_as_a_subprotocol(service: Api) -> None:
    mina = new_person()
    socket = await RawSocket.open(raw_url(service), protocols=("chat.v1", f"bearer.{mina.token}"))

    assert socket.socket.protocol == "chat.v1"
    ready = await socket.receive_object("ready")

    assert ready["accountId"] == mina.account_id
    await socket.close()


@pytest.mark.node
async def test_node_ws_may_send_its_token_as_a_subprotocol(service: Api, node: Node) -> None:
    mina = new_person()
    client = NodeRawClient(service.url, node, protocols=("chat.v1", f"bearer.{mina.token}"))

    await client.connect()

    assert client.protocol == "chat.v1"
    assert (await client.next_event("ready"))["accountId"] == mina.account_id
    await client.close()


async def test_a_socketio_client_may_send_its_token_in_the_query(service: Api) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    socket = await PacketSocket.open(
        service.url, query=f"token={mina.token}&sessionId={session_id}&lastSeq=0"
    )

    answer = await socket.connect("")

    assert isinstance(answer, str)
    assert answer.startswith("40{")
    ready = json.loads((await socket.receive_starting('42["ready"'))[2:])[1]
    assert ready["accountId"] == mina.account_id
    joined = json.loads((await socket.receive_starting('42["joined"'))[2:])[1]
    assert joined["sessionId"] == session_id
    assert joined["recovered"] is True
    await socket.close()


async def test_a_socketio_client_may_send_its_token_as_a_bearer_header(service: Api) -> None:
    mina = new_person()
    socket = await PacketSocket.open(service.url, headers={"Authorization": f"Bearer {mina.token}"})

    await socket.connect("")

    ready = json.loads((await socket.receive_starting('42["ready"'))[2:])[1]
    assert ready["accountId"] == mina.account_id
    await socket.close()


async def test_a_socketio_client_may_send_its_token_as_a_subprotocol(service: Api) -> None:
    mina = new_person()
    socket = await PacketSocket.open(service.url, protocols=("chat.v1", f"bearer.{mina.token}"))

    await socket.connect("")

    assert socket.socket.socket.protocol == "chat.v1"
    ready = json.loads((await socket.receive_starting('42["ready"'))[2:])[1]
    assert ready["accountId"] == mina.account_id
    await socket.close()


async def test_what_auth_says_counts_more_than_the_query(service: Api) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    socket = await PacketSocket.open(service.url, query=f"token={mina.token}")

    await socket.connect(json.dumps({"token": jun.token}))

    ready = json.loads((await socket.receive_starting('42["ready"'))[2:])[1]
    assert ready["accountId"] == jun.account_id
    await socket.close()


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling", "node-io"))
async def test_a_ticket_opens_one_connection_and_no_second(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    ticket = (await any_service.call("POST", "/api/tickets", by=mina))["ticket"]

    client = await connect(any_service, way, session_id=session_id, ticket=ticket)
    assert client.events[0]["accountId"] == mina.account_id

    with pytest.raises(Refused) as refused:
        await connect(any_service, way, session_id=session_id, ticket=ticket)
    assert_refused(refused.value, "invalid_ticket")


@pytest.mark.parametrize("way", WIRES)
async def test_a_ticket_is_too_old_after_thirty_seconds(
    serve: Serve, connect: Connect, way: str
) -> None:
    clock = MovableClock()
    service = await serve(clock=clock)
    mina = new_person()
    ticket = (await service.call("POST", "/api/tickets", by=mina))["ticket"]

    clock.advance(limits.TICKET_LIFETIME_S + 1)

    with pytest.raises(Refused) as refused:
        await connect(service, way, ticket=ticket)
    assert_refused(refused.value, "invalid_ticket")


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling", "node-raw", "node-io"))
async def test_a_client_may_authenticate_by_its_first_command(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, way, session_id=session_id)

    ack = await client.ack("authenticate", token=mina.token)

    assert ack["expiresAt"].endswith("Z")
    assert (await client.next_event("ready"))["accountId"] == mina.account_id
    assert (await client.next_event("joined"))["sessionId"] == session_id


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_before_it_has_authenticated_a_client_gets_nothing(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, way)

    for command, fields in (
        ("join", {"sessionId": session_id}),
        ("history", {"sessionId": session_id}),
        ("message", {"sessionId": session_id, "content": "hello"}),
    ):
        assert (await client.refusal(command, **fields))["code"] == "unauthenticated"

    assert client.events == []
    assert await service.head(mina, session_id) == 0


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_who_does_not_authenticate_within_ten_seconds_is_closed(
    serve: Serve, connect: Connect, way: str
) -> None:
    clock = MovableClock()
    service = await serve(clock=clock)
    client = await connect(service, way)

    clock.advance(limits.AUTHENTICATE_WITHIN_S + 0.1)

    await client.ended_with("unauthenticated", timeout_s=5)


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_first_command_with_a_bad_token_closes(
    service: Api, connect: Connect, way: str
) -> None:
    client = await connect(service, way)

    refused = await client.refusal("authenticate", token="nonsense")

    assert refused["code"] == "invalid_token"
    await client.ended_with("invalid_token")


@pytest.mark.parametrize("way", WIRES)
async def test_a_fresh_token_extends_a_connection(serve: Serve, connect: Connect, way: str) -> None:
    clock = MovableClock()
    service = await serve(clock=clock)
    mina = new_person(lifetime_s=60)
    client = await connect(service, way, mina)
    await client.ack("authenticate", token=sign_token(mina.account_id, mina.name, lifetime_s=600))

    clock.advance(61)

    # The sweep that would have closed it comes by at least once while a second connection, which
    # nobody extends, is closed by it.
    other = await connect(service, way)
    clock.advance(limits.AUTHENTICATE_WITHIN_S)
    await other.ended_with("unauthenticated")
    assert (await client.send("ping"))["type"] == "pong"


@pytest.mark.parametrize("way", WIRES)
async def test_another_accounts_token_does_not_take_a_connection_over(
    service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await service.session(mina)
    client = await connect(service, way, mina, session_id)

    assert (await client.refusal("authenticate", token=jun.token))["code"] == "invalid_token"

    await client.ack("message", content="still me")
    assert (await client.next_event("message"))["senderId"] == mina.account_id


# --- staying out --------------------------------------------------------------------------------


def assert_refused(refused: Refused, code: str) -> None:
    """The error says this, and where the wire shows a close code it is the registry's."""
    assert refused.error["code"] == code, refused
    assert refused.code in (None, REGISTRY[code].close_code), refused
    assert refused.error["retryable"] is REGISTRY[code].retryable


BAD_TOKENS: dict[str, tuple[Callable[[], str], str]] = {
    "nonsense": (lambda: "nonsense", "invalid_token"),
    "forged": (
        lambda: sign_token("mina", "Mina", secret="a secret that somebody else came up with"),
        "invalid_token",
    ),
    "alg none": (
        lambda: jwt.encode({"sub": "mina", "exp": 4_000_000_000}, "", algorithm="none"),
        "invalid_token",
    ),
    "another algorithm": (
        lambda: jwt.encode({"sub": "mina", "exp": 4_000_000_000}, "k" * 64, algorithm="HS512"),
        "invalid_token",
    ),
    "without exp": (lambda: sign_token("mina", "Mina", exp=None), "invalid_token"),
    "without sub": (lambda: sign_token("mina", "Mina", sub=None), "invalid_token"),
    "sub is no text": (lambda: sign_token("mina", "Mina", sub={"$ne": None}), "invalid_token"),
    "not yet valid": (lambda: sign_token("mina", "Mina", nbf=4_000_000_000), "invalid_token"),
    "expired": (lambda: sign_token("mina", "Mina", lifetime_s=-60), "token_expired"),
    "login ended": (lambda: sign_token("mina", "Mina", sid="no-such-login"), "token_revoked"),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
@pytest.mark.parametrize("way", WIRES)
async def test_a_token_that_does_not_prove_anything_is_refused(
    service: Api, connect: Connect, way: str, name: str
) -> None:
    make, code = BAD_TOKENS[name]
    person = Person(account_id="mina", name="Mina", token=make())

    with pytest.raises(Refused) as refused:
        await connect(service, way, person)

    assert_refused(refused.value, code)


@pytest.mark.parametrize("way", WIRES)
async def test_a_token_for_another_audience_is_refused(
    serve: Serve, connect: Connect, way: str
) -> None:
    service = await serve(jwt_audience="chat")
    await connect(service, way, new_person(aud="chat"))

    for person in (new_person(aud="mail"), new_person()):
        with pytest.raises(Refused) as refused:
            await connect(service, way, person)
        assert_refused(refused.value, "invalid_token")


@pytest.mark.parametrize(
    "way", ways("raw", "io", "io-polling", "io-upgrade", "node-raw", "node-io")
)
async def test_strangers_and_seekers_of_nothing_are_refused(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina, stranger = new_person("Mina"), new_person("Eve")
    session_id = await any_service.session(mina)

    with pytest.raises(Refused) as refused:
        await connect(any_service, way, stranger, session_id)
    assert_refused(refused.value, "not_a_member")

    with pytest.raises(Refused) as refused:
        await connect(any_service, way, mina, "no-such-session")
    assert_refused(refused.value, "session_not_found")


BAD_QUERIES = {
    "a sessionId that is too long": f"sessionId={'x' * 65}",
    "a sessionId with a NUL": "sessionId=a%00b",
    "a lastSeq in words": "lastSeq=four",
    "a lastSeq below zero": "lastSeq=-1",
    "a lastSeq in Arabic digits": f"lastSeq={quote('١٢')}",
    "a lastSeq with an underscore": "lastSeq=1_0",
    "a lastSeq beyond all integers": f"lastSeq={'9' * 400}",
    "a token that is too long": f"token={'x' * 8193}",
}


@pytest.mark.parametrize("name", BAD_QUERIES)
async def test_a_malformed_query_is_refused_on_the_raw_wire(service: Api, name: str) -> None:
    mina = new_person()
    query = BAD_QUERIES[name]
    token = "" if query.startswith("token=") else f"token={mina.token}&"
    if len(query) > 8000:
        # Longer than a request line may be, so HTTP itself refuses it.
        with pytest.raises(RefusedByHttp) as refused:
            await RawSocket.open(raw_url(service, f"?{token}{query}"))
        assert refused.value.status == 400
        return
    socket = await RawSocket.open(raw_url(service, f"?{token}{query}"))

    error, code = await socket.close_code()

    assert error is not None
    assert error["code"] == "validation_failed"
    assert list(error["details"]) == [query.split("=")[0]]
    assert code == 4500
    await socket.close()


BAD_AUTHS: dict[str, tuple[dict[str, Any], str]] = {
    "a sessionId that is too long": ({"sessionId": "x" * 65}, "validation_failed"),
    "a sessionId that is an operator": ({"sessionId": {"$ne": None}}, "validation_failed"),
    "a lastSeq that is text": ({"lastSeq": "4"}, "validation_failed"),
    "a lastSeq below zero": ({"lastSeq": -1}, "validation_failed"),
    "a lastSeq that is a fraction": ({"lastSeq": 1.5}, "validation_failed"),
    "a token that is an operator": ({"token": {"$ne": None}}, "validation_failed"),
    "a field nobody knows": ({"colour": "red"}, "validation_failed"),
}


@pytest.mark.parametrize("name", BAD_AUTHS)
async def test_a_malformed_auth_object_is_refused_on_socketio(service: Api, name: str) -> None:
    change, code = BAD_AUTHS[name]
    error = await connect_error(service, json.dumps({"token": new_person().token, **change}))

    assert error["code"] == code
    assert list(error["details"]) == list(change)


@pytest.mark.parametrize(
    "auth",
    [
        '"text"',
        "[1]",
        "true",
        "{",
        '{"token":NaN}',
        '{"token":"\\ud800"}',
        '{"token":"a","token":"b"}',
    ],
)
async def test_an_auth_that_is_no_plain_object_is_refused_on_socketio(
    service: Api, auth: str
) -> None:
    error = await connect_error(service, auth)

    assert error["code"] in ("bad_request", "validation_failed")


async def connect_error(service: Api, auth_json: str) -> Said:
    """The error object in the CONNECT_ERROR that answers this `auth`; then the transport ends."""
    socket = await PacketSocket.open(service.url)
    answer = await socket.connect(auth_json)
    assert isinstance(answer, str)
    assert answer.startswith("44{"), answer
    refused = json.loads(answer[2:])
    assert isinstance(refused["message"], str)
    error: Said = refused["data"]
    await socket.close()
    return error


async def test_who_stays_after_a_connect_error_is_closed(service: Api) -> None:
    socket = await PacketSocket.open(service.url)
    await socket.connect('{"token":"nonsense"}')

    packets, code = await socket.closed()

    assert (packets, code) == ([], 4501)
    await socket.close()


@pytest.mark.parametrize("way", WIRES)
async def test_an_account_may_have_so_many_connections_and_no_more(
    serve: Serve, connect: Connect, way: str
) -> None:
    service = await serve(connections_per_account=2)
    mina, jun = new_person("Mina"), new_person("Jun")
    first = await connect(service, way, mina)
    await connect(service, "raw", mina)

    with pytest.raises(Refused) as refused:
        await connect(service, way, mina)
    assert_refused(refused.value, "too_many_connections")

    await connect(service, way, jun)
    await first.close()
    assert isinstance(await eventually_connected(service, connect, way, mina), ChatClient)


async def test_an_address_may_have_so_many_connections_and_no_more(
    serve: Serve, connect: Connect
) -> None:
    service = await serve(connections_per_address=2)
    late = new_person()
    first = await connect(service, "io", new_person())
    await connect(service, "raw", new_person())

    with pytest.raises(Refused) as refused:
        await connect(service, "raw", late)
    assert_refused(refused.value, "too_many_connections")
    # Socket.IO's handshake is plain HTTP, so nothing has to be opened to say so.
    status, problem = await service.answer("GET", "/socket.io/?EIO=4&transport=polling")
    assert (status, problem["code"]) == (429, "too_many_connections")

    await first.close()
    assert isinstance(await eventually_connected(service, connect, "io", late), ChatClient)


async def eventually_connected(
    service: Api, connect: Connect, way: str, person: Person
) -> ChatClient:
    """Connect as soon as the server has noticed that another connection is closed."""
    async with asyncio.timeout(5):
        while True:
            try:
                return await connect(service, way, person)
            except Refused:
                await asyncio.sleep(0)


# --- origins ------------------------------------------------------------------------------------


async def test_a_forbidden_origin_is_refused_before_the_upgrade(service: Api) -> None:
    evil = {"Origin": "https://evil.example"}
    mina = new_person()

    with pytest.raises(RefusedByHttp) as refused:
        await RawSocket.open(raw_url(service, f"?token={mina.token}"), headers=evil)
    assert refused.value.status == 403

    with pytest.raises(RefusedByHttp) as refused:
        await PacketSocket.open(service.url, headers=evil)
    assert refused.value.status == 403

    status, _ = await service.answer("GET", "/socket.io/?EIO=4&transport=polling", headers=evil)
    assert status == 403


@pytest.mark.parametrize(
    "origin", ["null", "http://localhost:5173.evil.example", "http://localhost.evil.example:5173"]
)
async def test_an_origin_that_merely_looks_like_ours_is_refused(service: Api, origin: str) -> None:
    with pytest.raises(RefusedByHttp) as refused:
        await RawSocket.open(raw_url(service), headers={"Origin": origin})
    assert refused.value.status == 403

    with pytest.raises(RefusedByHttp) as refused:
        await PacketSocket.open(service.url, headers={"Origin": origin})
    assert refused.value.status == 403


async def test_an_allowed_origin_comes_in_on_both_wires(service: Api) -> None:
    ours = {"Origin": "http://localhost:5173"}
    mina = new_person()

    raw = await RawSocket.open(raw_url(service, f"?token={mina.token}"), headers=ours)
    await raw.receive_object("ready")
    packets = await PacketSocket.open(service.url, headers=ours)
    await packets.connect(json.dumps({"token": mina.token}))
    await packets.receive_starting('42["ready"')

    await raw.close()
    await packets.close()


@pytest.mark.node
async def test_node_clients_meet_the_refusal_of_their_origin(service: Api, node: Node) -> None:
    evil = {"Origin": "https://evil.example"}
    mina = new_person()

    with pytest.raises(RefusedByHttp) as refused:
        await NodeRawClient(service.url, node, headers=evil).connect(token=mina.token)
    assert refused.value.status == 403
    assert json.loads(refused.value.body)["code"] == "origin_forbidden"

    with pytest.raises(RefusedByHttp) as refused:
        await NodeSocketIoClient(service.url, node, "polling", headers=evil).connect(
            token=mina.token
        )
    assert refused.value.status == 403


async def test_a_plain_get_of_the_raw_endpoint_is_told_to_upgrade(
    service: Api, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{service.url}/ws/chat") as response:
        problem = await response.json(content_type=None)

    assert response.status == 426
    assert problem["code"] == "upgrade_required"
    assert response.headers["Upgrade"] == "websocket"
    assert response.headers["Sec-WebSocket-Version"] == "13"
