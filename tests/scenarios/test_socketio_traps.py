"""What a client may do to python-socketio, and that it does nothing here."""

import json

import aiohttp
import pytest

from chat_protocol import limits
from tests.parts.clients import Said
from tests.parts.clock import MovableClock
from tests.parts.people import Api, Person, new_person
from tests.parts.server import ServerProcess
from tests.parts.service import Connect, Serve, ways
from tests.parts.socketio_clients import PacketSocket, PollingSession


@pytest.fixture
def api(server: ServerProcess, http: aiohttp.ClientSession) -> Api:
    """The server's REST interface."""
    return Api(http, server.url)


async def connected(api: Api, person: Person, session_id: str | None = None) -> PacketSocket:
    """A connection that was greeted."""
    socket = await PacketSocket.open(api.url)
    auth = {"token": person.token, **({"sessionId": session_id} if session_id else {})}
    answer = await socket.connect(json.dumps(auth))
    assert isinstance(answer, str)
    assert answer.startswith("40{"), answer
    await socket.receive_starting('42["joined"' if session_id else '42["ready"')
    return socket


def event_of(packet: str) -> Said:
    name, said = json.loads(packet[2:])
    assert said["type"] == name
    result: Said = said
    return result


async def still_there(socket: PacketSocket) -> None:
    """Prove that the connection goes on."""
    await socket.send('429["ping",{}]')
    (pong,) = json.loads((await socket.receive_starting("439"))[3:])
    assert pong["type"] == "pong"


RESERVED = ["connect", "disconnect", "connect_error", "__disconnect_final", "on_message", "*", ""]


@pytest.mark.parametrize("name", RESERVED)
async def test_a_name_that_means_something_inside_is_no_command(
    server: ServerProcess, api: Api, name: str
) -> None:
    begun = len(server.lines)
    socket = await connected(api, new_person())

    await socket.send(f'425["{name}",{{"token":"x"}}]')

    (error,) = json.loads((await socket.receive_starting("435"))[3:])
    assert error["code"] == "unknown_type"
    await still_there(socket)
    await socket.close()
    server.assert_quiet(after=begun)


@pytest.mark.node
async def test_socketio_client_that_emits_reserved_names_stays_connected(
    service: Api, connect: Connect
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, "node-io", mina, session_id)

    for name in ("on_message", "trigger_event", "constructor"):
        assert (await client.refusal(name))["code"] == "unknown_type"

    await client.ack("message", content="still here")


async def test_an_unknown_namespace_is_answered_as_the_protocol_says(api: Api) -> None:
    socket = await connected(api, new_person())

    await socket.send("40/admin,")
    assert await socket.receive() == '44/admin,{"message":"Invalid namespace"}'
    await socket.send('42/admin,["message",{"content":"x"}]')
    assert event_of(await socket.receive_starting("42"))["code"] == "bad_request"

    await still_there(socket)
    await socket.close()


def refusal_in(packet: str) -> str:
    """The code in a CONNECT_ERROR, which goes before the close of one that never connected."""
    assert packet.startswith("44{"), packet
    code: str = json.loads(packet[2:])["data"]["code"]
    return code


async def test_a_namespace_before_connect_does_not_let_anyone_in(api: Api) -> None:
    mina = new_person()
    session_id = await api.session(mina)
    socket = await PacketSocket.open(api.url)

    await socket.send("40/chat," + json.dumps({"token": mina.token, "sessionId": session_id}))
    assert await socket.receive() == '44/chat,{"message":"Invalid namespace"}'
    await socket.send('42["message",{"content":"let me in"}]')

    packets, code = await socket.closed()
    assert [refusal_in(packet) for packet in packets] == ["bad_request"]
    assert code == 4500
    assert await api.head(mina, session_id) == 0
    await socket.close()


async def test_a_transport_that_never_connects_is_closed(serve: Serve) -> None:
    clock = MovableClock()
    service = await serve(clock=clock)
    socket = await PacketSocket.open(service.url)

    clock.advance(limits.AUTHENTICATE_WITHIN_S + 0.1)

    packets, code = await socket.closed(timeout_s=5)
    assert [refusal_in(packet) for packet in packets] == ["unauthenticated"]
    assert code == 4501
    await socket.close()


async def test_a_polling_transport_that_never_connects_is_closed(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    clock = MovableClock()
    service = await serve(clock=clock)
    session = await PollingSession.open(http, service.url)

    clock.advance(limits.AUTHENTICATE_WITHIN_S + 0.1)

    status, packets = await session.poll()
    assert status == 200
    assert [refusal_in(packet) for packet in packets] == ["unauthenticated"]
    assert await session.poll() == (200, ["1"])
    status, _ = await session.poll()
    assert status == 400


async def test_a_second_connect_changes_nothing(api: Api) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await api.session(mina)
    socket = await connected(api, mina, session_id)

    await socket.send("40" + json.dumps({"token": jun.token}))
    assert event_of(await socket.receive_starting("42"))["code"] == "bad_request"
    await socket.send('427["message",{"content":"still Mina"}]')

    said = event_of(await socket.receive_starting('42["message"'))
    assert said["senderId"] == mina.account_id
    await socket.close()


BINARY = [
    '451-["message",{"content":{"_placeholder":true,"num":0}}]',
    '45999999999-["message",{"_placeholder":true,"num":0}]',
    '4599999999999999999999-["message"]',
    '450-["message",{"content":"x"}]',
    '461-7[{"_placeholder":true,"num":0}]',
]


@pytest.mark.parametrize("packet", BINARY)
async def test_a_packet_that_announces_attachments_ends_the_connection(
    server: ServerProcess, api: Api, packet: str
) -> None:
    begun = len(server.lines)
    mina = new_person()
    session_id = await api.session(mina)
    socket = await connected(api, mina, session_id)

    await socket.send(packet)

    packets, code = await socket.closed()
    assert event_of(packets[0])["code"] == "unsupported_data"
    assert code == 1003
    assert await api.head(mina, session_id) == 0
    await socket.close()
    server.assert_quiet(after=begun)


MALFORMED = [
    "4",
    "42",
    "42nonsense",
    "42{}",
    "42[]",
    "42[5]",
    '42["message"',
    '42["message",{"content":"x"},{"content":"y"}]',
    '42["message","text"]',
    '42["message",null]',
    '42["message",{"type":"history"}]',
    '4212345678901234567890["ping",{}]',
    "47",
    "49",
    "4x",
    "44{}",
    '42/no-comma["ping"]',
    "nonsense",
    "7",
    "\x00",
    "4\u0662[]",
]


@pytest.mark.parametrize("packet", MALFORMED)
async def test_a_malformed_packet_is_told_so_and_the_connection_goes_on(
    server: ServerProcess, api: Api, packet: str
) -> None:
    begun = len(server.lines)
    socket = await connected(api, new_person())

    await socket.send(packet)

    assert event_of(await socket.receive_starting("42"))["code"] == "bad_request"
    await still_there(socket)
    await socket.close()
    server.assert_quiet(after=begun)


async def test_an_ack_of_nothing_is_passed_over(server: ServerProcess, api: Api) -> None:
    begun = len(server.lines)
    socket = await connected(api, new_person())

    for packet in ('431["x"]', "43[]", "43", '43999["x"]'):
        await socket.send(packet)

    await still_there(socket)
    await socket.close()
    server.assert_quiet(after=begun)


async def test_twenty_malformed_packets_in_a_row_close(api: Api) -> None:
    socket = await connected(api, new_person())

    for _ in range(limits.BAD_INPUT_IN_A_ROW_MAX):
        await socket.send("4nonsense")

    packets, code = await socket.closed()
    errors = [event_of(packet) for packet in packets if packet.startswith("42")]
    assert [error["code"] for error in errors] == [
        *["bad_request"] * limits.BAD_INPUT_IN_A_ROW_MAX,
        "too_many_errors",
    ]
    assert code == 4509
    await socket.close()


@pytest.mark.parametrize("way", ways("io", "io-polling", "node-io", "node-io-polling"))
async def test_a_clients_disconnect_is_a_normal_end(
    server: ServerProcess, api: Api, connect: Connect, way: str
) -> None:
    begun = len(server.lines)
    mina = new_person()
    client = await connect(api, way, mina)

    await client.close()

    await server.logged(f"account={mina.account_id} code=")
    assert server.lines[-1].endswith(("code=1000", "code=1005"))  # 1005: closed without a code
    server.assert_quiet(after=begun)


# --- polling ------------------------------------------------------------------------------------


async def test_a_polling_session_cannot_be_driven_from_two_places_into_a_traceback(
    server: ServerProcess, api: Api, http: aiohttp.ClientSession
) -> None:
    begun = len(server.lines)
    mina = new_person()
    session = await PollingSession.open(http, api.url)
    await session.post("40" + json.dumps({"token": mina.token}))
    status, packets = await session.poll()
    assert status == 200
    assert packets[0].startswith("40{")

    for posted in ("", "\x1e", "\x1e" * 1000, "x" * 1000, "2", "4"):
        assert await session.post(posted) in (200, 400)

    server.assert_quiet(after=begun)


async def test_a_body_over_the_limit_is_refused(
    server: ServerProcess, api: Api, http: aiohttp.ClientSession
) -> None:
    begun = len(server.lines)
    session = await PollingSession.open(http, api.url)

    assert await session.post("4" + "x" * limits.FRAME_MAX_BYTES) == 413

    server.assert_quiet(after=begun)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "EIO=3&transport=polling",
        "EIO=4&transport=flashsocket",
        "EIO=4&transport=polling&sid=nobody",
        "EIO=4&transport=websocket&sid=nobody",
        "EIO=4&transport=polling&j=0",
        "EIO=4&transport=polling&j=x",
        "EIO=%F0&transport=polling",
    ],
)
async def test_a_handshake_that_cannot_be_is_answered_with_a_client_error(
    server: ServerProcess, api: Api, query: str
) -> None:
    begun = len(server.lines)

    for method in ("GET", "POST"):
        status, _ = await api.answer(method, f"/socket.io/?{query}")
        assert 400 <= status < 500, (method, status)

    server.assert_quiet(after=begun)
