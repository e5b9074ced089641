"""Bad input gets its documented error, changes nothing, and closes nothing but where it repeats."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Protocol

import aiohttp
import pytest

from chat_protocol import limits
from tests.parts.clients import Said, check_event
from tests.parts.people import Api, Person, new_person
from tests.parts.raw_clients import RawSocket
from tests.parts.server import ServerProcess
from tests.parts.service import WIRES, Connect
from tests.parts.socketio_clients import PacketSocket

DEEP = "[" * 20_000 + "]" * 20_000
DEEP_OBJECT = '{"a":' * 5_000 + "1" + "}" * 5_000

OBJECTS = {
    # What stands in a command's object, and what is wrong with it.
    "unknown field": ('"content":"x","colour":"red"', "validation_failed", "colour"),
    "no content": ("", "validation_failed", "content"),
    "empty content": ('"content":""', "validation_failed", "content"),
    "content is a number": ('"content":5', "validation_failed", "content"),
    "content is null": ('"content":null', "validation_failed", "content"),
    "content is a list": ('"content":["x"]', "validation_failed", "content"),
    "content is an operator": ('"content":{"$ne":null}', "validation_failed", "content"),
    "content is too long": (f'"content":"{"x" * 4001}"', "validation_failed", "content"),
    "content has a NUL": ('"content":"a\\u0000b"', "validation_failed", "content"),
    "key is an operator": (
        '"content":"x","clientMessageId":{"$gt":""}',
        "validation_failed",
        "clientMessageId",
    ),
    "key is too long": (
        f'"content":"x","clientMessageId":"{"k" * 65}"',
        "validation_failed",
        "clientMessageId",
    ),
    "session is an operator": (
        '"content":"x","sessionId":{"$ne":null}',
        "validation_failed",
        "sessionId",
    ),
    "a dollar field": ('"content":"x","$where":"1"', "validation_failed", "$where"),
    "a prototype field": ('"content":"x","__proto__":{}', "validation_failed", "__proto__"),
    "too many mentions": (
        f'"content":"x","mentions":{json.dumps(["m"] * 51)}',
        "validation_failed",
        "mentions",
    ),
    "an attachment by javascript": (
        '"content":"x","attachments":[{"url":"javascript:alert(1)"}]',
        "validation_failed",
        "attachments.0.url",
    ),
    "twin keys": ('"content":"x","content":"y"', "bad_request", "content"),
    "twin keys by escape": ('"content":"x","c\\u006fntent":"y"', "bad_request", "content"),
    "lone high surrogate": ('"content":"a\\ud800b"', "bad_request", None),
    "lone low surrogate": ('"content":"a\\udc00b"', "bad_request", None),
    "surrogate in a name": ('"content":"x","\\ud800":1', "bad_request", None),
    "NaN": ('"content":"x","replyTo":NaN', "bad_request", None),
    "Infinity": ('"content":"x","replyTo":-Infinity', "bad_request", None),
    "a number beyond all floats": ('"content":"x","replyTo":1e999', "bad_request", None),
    "an integer beyond 2^63": (f'"content":"x","replyTo":{2**63}', "bad_request", None),
    "an integer of 400 digits": (f'"content":"x","replyTo":{"9" * 400}', "bad_request", None),
    "deep lists": (f'"content":{DEEP}', "bad_request", None),
    "deep objects": (f'"content":{DEEP_OBJECT}', "bad_request", None),
    "trailing comma": ('"content":"x",', "bad_request", None),
    "single quotes": ("'content':'x'", "bad_request", None),
    "a control character": ('"content":"a\x01b"', "bad_request", None),
}


class Speaker(Protocol):
    """Says anything on one wire and hears what comes back."""

    async def say(self, body: str, command: str = "message") -> None:
        """Send a command whose object is written in exactly these characters."""
        ...

    async def hear(self) -> Said:
        """The next object."""
        ...

    async def ping(self) -> None:
        """Prove that the connection goes on."""
        ...

    async def close_code(self) -> tuple[Said, int]:
        """The last object before the end, and the close code."""
        ...

    async def close(self) -> None:
        """Leave."""
        ...


class RawSpeaker:
    """Says anything on the raw wire."""

    def __init__(self, socket: RawSocket) -> None:
        self.socket = socket

    async def say(self, body: str, command: str = "message") -> None:
        rest = f",{body}" if body else ""
        await self.socket.send_text(f'{{"type":"{command}"{rest}}}')

    async def hear(self) -> Said:
        return await self.socket.receive_object()

    async def ping(self) -> None:
        await self.socket.send_text('{"type":"ping"}')
        assert (await self.hear())["type"] == "pong"

    async def close_code(self) -> tuple[Said, int]:
        last, code = await self.socket.close_code()
        assert last is not None
        return last, code

    async def close(self) -> None:
        await self.socket.close()


class PacketSpeaker:
    """Says anything as a Socket.IO event."""

    def __init__(self, socket: PacketSocket) -> None:
        self.socket = socket

    async def say(self, body: str, command: str = "message") -> None:
        await self.socket.send(f'42["{command}",{{{body}}}]')

    async def hear(self) -> Said:
        packet = await self.socket.receive_starting("42")
        name, said = json.loads(packet[2:])
        assert said["type"] == name
        result: Said = said
        return result

    async def ping(self) -> None:
        await self.socket.send('427["ping"]')
        (said,) = json.loads((await self.socket.receive_starting("437"))[3:])
        assert said["type"] == "pong"

    async def close_code(self) -> tuple[Said, int]:
        packets, code = await self.socket.closed()
        events = [json.loads(packet[2:]) for packet in packets if packet.startswith("42")]
        last: Said = events[-1][1]
        return last, code

    async def close(self) -> None:
        await self.socket.close()


async def speaker(api: Api, wire: str, mina: Person, session_id: str) -> Speaker:
    """A greeted connection in the session."""
    if wire == "raw":
        url = f"{api.url.replace('http', 'ws')}/ws/chat?sessionId={session_id}&token={mina.token}"
        raw = RawSpeaker(await RawSocket.open(url))
        await raw.socket.receive_object("joined")
        return raw
    packets = PacketSpeaker(await PacketSocket.open(api.url))
    await packets.socket.connect(json.dumps({"token": mina.token, "sessionId": session_id}))
    await packets.socket.receive_starting('42["joined"')
    return packets


@pytest.fixture
async def api(server: ServerProcess, http: aiohttp.ClientSession) -> AsyncIterator[Api]:
    """The server; afterwards a fresh client is served at once, and the log is quiet."""
    begun = len(server.lines)
    api = Api(http, server.url)
    yield api
    async with asyncio.timeout(1):
        mina = new_person()
        session_id = await api.session(mina)
        for wire in WIRES:
            fresh = await speaker(api, wire, mina, session_id)
            await fresh.ping()
            await fresh.close()
    server.assert_quiet(after=begun)


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("wire", WIRES)
async def test_a_bad_object_is_refused_and_the_connection_goes_on(
    api: Api, wire: str, name: str
) -> None:
    body, code, at_fault = OBJECTS[name]
    mina = new_person()
    session_id = await api.session(mina)
    client = await speaker(api, wire, mina, session_id)

    await client.say(body)

    error = await client.hear()
    check_event(error)
    assert error["code"] == code, error
    if at_fault is not None:
        assert list(error["details"]) == [at_fault]
    await client.ping()
    assert await api.head(mina, session_id) == 0
    await client.close()


@pytest.mark.parametrize("wire", WIRES)
async def test_a_command_that_does_not_exist_is_refused(api: Api, wire: str) -> None:
    mina = new_person()
    client = await speaker(api, wire, mina, await api.session(mina))
    for command in ("nonsense", "", "Message", "__init__", "on_message", "ready", "ack", "error"):
        await client.say("", command)
        assert (await client.hear())["code"] == "unknown_type", command
    await client.ping()
    await client.close()


@pytest.mark.parametrize("wire", WIRES)
async def test_a_command_that_this_server_does_not_do_yet_is_told_so(api: Api, wire: str) -> None:
    mina = new_person()
    client = await speaker(api, wire, mina, await api.session(mina))
    for command, body in (
        ("typing", '"isTyping":true'),
        ("edit", '"messageId":"x","content":"y"'),
        ("delete", '"messageId":"x"'),
        ("react", '"messageId":"x","emoji":"👍"'),
    ):
        await client.say(body, command)
        assert (await client.hear())["code"] == "unsupported_command", command
    await client.close()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "ref", ["true", "null", "{}", "[]", f'"{"r" * 65}"'], ids=["bool", "null", "{}", "[]", "long"]
)
async def test_a_ref_that_may_not_be_echoed_is_refused(api: Api, wire: str, ref: str) -> None:
    mina = new_person()
    client = await speaker(api, wire, mina, await api.session(mina))

    await client.say(f'"content":"x","ref":{ref}')

    error = await client.hear()
    assert (error["code"], list(error["details"])) == ("validation_failed", ["ref"])
    assert "ref" not in error
    await client.close()


@pytest.mark.parametrize("wire", WIRES)
async def test_an_error_echoes_the_ref_of_what_it_answers(api: Api, wire: str) -> None:
    mina = new_person()
    client = await speaker(api, wire, mina, await api.session(mina))
    for body in ('"content":"","ref":"mine"', '"content":"x","sessionId":"s","ref":"mine"'):
        await client.say(body)
        assert (await client.hear())["ref"] == "mine"
    await client.close()


@pytest.mark.parametrize(
    "text",
    ["nonsense", "", " ", "{", "[1]", "null", "true", '"text"', "42", "{}", '{"type":5}',
     '{"type":null}', '{"type":["message"]}', "\ufeff{}", '{"type":"ping"}{"type":"ping"}', DEEP],
    ids=lambda text: text[:20],
)  # fmt: skip
async def test_a_frame_that_is_no_command_is_refused_on_the_raw_wire(api: Api, text: str) -> None:
    mina = new_person()
    client = await speaker(api, "raw", mina, await api.session(mina))
    assert isinstance(client, RawSpeaker)

    await client.socket.send_text(text)

    assert (await client.hear())["code"] == "bad_request"
    await client.ping()
    await client.close()


@pytest.mark.parametrize("wire", WIRES)
async def test_twenty_bad_frames_in_a_row_close_with_4509(api: Api, wire: str) -> None:
    mina = new_person()
    client = await speaker(api, wire, mina, await api.session(mina))

    for _ in range(limits.BAD_INPUT_IN_A_ROW_MAX - 1):
        await client.say('"content":""')
        assert (await client.hear())["code"] == "validation_failed"
    await client.ping()  # a good one between makes the row start again
    for _ in range(limits.BAD_INPUT_IN_A_ROW_MAX - 1):
        await client.say('"content":""')
        assert (await client.hear())["code"] == "validation_failed"
    await client.say('"content":""')

    last, code = await client.close_code()
    assert last["code"] == "too_many_errors"
    assert code == 4509
    await client.close()


# --- frames -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", WIRES)
async def test_a_binary_frame_closes_with_1003(api: Api, wire: str) -> None:
    mina = new_person()
    client = await speaker(api, wire, mina, await api.session(mina))
    socket = client.socket if isinstance(client, RawSpeaker) else client.socket.socket  # type: ignore[attr-defined]

    await socket.socket.send_bytes(b'{"type":"ping"}')

    last, code = await client.close_code()
    assert last["code"] == "unsupported_data"
    assert code == 1003
    await client.close()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "text", [b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"a\xe2\x82"]
)
async def test_a_text_frame_that_is_not_utf8_closes_with_1007(
    api: Api, wire: str, text: bytes
) -> None:
    mina = new_person()
    client = await speaker(api, wire, mina, await api.session(mina))
    if isinstance(client, RawSpeaker):
        await client.socket.send_text(b'{"type":"message","content":"' + text + b'"}')
        code = (await client.socket.close_code())[1]
    else:
        assert isinstance(client, PacketSpeaker)
        await client.socket.send(b'42["message",{"content":"' + text + b'"}]')
        code = (await client.socket.closed())[1]

    assert code == 1007
    await client.close()


@pytest.mark.parametrize("wire", WIRES)
async def test_a_frame_of_64_kib_is_taken_and_one_byte_more_closes_with_1009(
    api: Api, wire: str
) -> None:
    mina = new_person()
    client = await speaker(api, wire, mina, await api.session(mina))
    around = len(
        '{"type":"message","content":""}' if wire == "raw" else '42["message",{"content":""}]'
    )
    fits = "x" * (limits.FRAME_MAX_BYTES - around)

    await client.say(f'"content":"{fits}"')
    assert (await client.hear())["code"] == "validation_failed"
    await client.ping()
    await client.say(f'"content":"{fits}x"')

    last, code = await client.close_code()
    assert last["code"] == "payload_too_large"
    assert code == 1009
    await client.close()


def client_frame(
    first: int, payload: bytes, *, masked: bool = True, size: int | None = None
) -> bytes:
    """A frame with any first byte; the mask is all zeros, which is a mask."""
    size = len(payload) if size is None else size
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 1 << 16:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + payload


PING_TEXT = b'{"type":"ping"}'

BROKEN_FRAMES = {
    "unmasked": (client_frame(0x81, PING_TEXT, masked=False), 1002),
    "a reserved bit": (client_frame(0xC1, PING_TEXT), 1002),
    "an unknown opcode": (client_frame(0x83, PING_TEXT), 1002),
    "an unknown control opcode": (client_frame(0x8B, b""), 1002),
    "a continuation of nothing": (client_frame(0x80, PING_TEXT), 1002),
    "a message inside another": (client_frame(0x01, b"{") + client_frame(0x81, b"}"), 1002),
    "a fragmented ping": (client_frame(0x09, b""), 1002),
    "a long ping": (client_frame(0x89, b"x" * 126), 1002),
    "a close code that may not be": (client_frame(0x88, (1005).to_bytes(2, "big")), 1002),
    "a close of one byte": (client_frame(0x88, b"x"), 1002),
    "a frame of 2^63 bytes": (client_frame(0x81, b"", size=2**63), 1009),
    "fragments over the limit": (
        client_frame(0x01, b"x" * 40_000) + client_frame(0x80, b"x" * 40_000),
        1009,
    ),
}


async def frames_socket(api: Api, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket whose frames are written byte by byte."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    return reader, writer


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The opcode and payload of a frame from the server."""
    first, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return first & 0x0F, await reader.readexactly(size)


async def closed_with(reader: asyncio.StreamReader) -> int:
    """Read frames until the close; returns its code."""
    async with asyncio.timeout(5):
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == 8:
                return int.from_bytes(payload[:2], "big")


@pytest.mark.parametrize("name", BROKEN_FRAMES)
@pytest.mark.parametrize("wire", WIRES)
async def test_broken_framing_closes_with_the_code_of_rfc_6455(
    api: Api, wire: str, name: str
) -> None:
    frames, code = BROKEN_FRAMES[name]
    path = (
        f"/ws/chat?token={new_person().token}"
        if wire == "raw"
        else "/socket.io/?EIO=4&transport=websocket"
    )
    reader, writer = await frames_socket(api, path)

    writer.write(frames)

    assert await closed_with(reader) == code
    writer.close()
    await writer.wait_closed()


async def test_a_message_may_come_in_fragments_with_pings_between(api: Api) -> None:
    reader, writer = await frames_socket(api, f"/ws/chat?token={new_person().token}")
    assert json.loads((await read_frame(reader))[1])["type"] == "ready"

    writer.write(client_frame(0x01, b'{"type":') + client_frame(0x89, b"here?"))
    writer.write(client_frame(0x00, b'"pi') + client_frame(0x80, b'ng"}'))

    assert await asyncio.wait_for(read_frame(reader), 5) == (0xA, b"here?")
    assert json.loads((await asyncio.wait_for(read_frame(reader), 5))[1])["type"] == "pong"
    writer.close()
    await writer.wait_closed()


async def test_a_command_sent_in_one_packet_with_the_handshake_is_heard(api: Api) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /ws/chat?token={new_person().token} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        + client_frame(0x81, PING_TEXT)
    )
    await reader.readuntil(b"\r\n\r\n")

    said = [json.loads((await asyncio.wait_for(read_frame(reader), 5))[1]) for _ in range(2)]

    assert [each["type"] for each in said] == ["ready", "pong"]
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "change",
    [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"),
        ("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Key: short"),
        ("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", ""),
        ("Connection: Upgrade", "Connection: close"),
        ("GET ", "POST "),
    ],
    ids=["version", "key", "no key", "connection", "method"],
)
@pytest.mark.parametrize("path", ["/ws/chat", "/socket.io/?EIO=4&transport=websocket"])
async def test_a_malformed_handshake_is_answered_in_http(
    api: Api, path: str, change: tuple[str, str]
) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert change[0] in request

    writer.write(request.replace(*change).encode())

    status = int((await asyncio.wait_for(reader.readline(), 5)).split()[1])
    assert status in (400, 405, 426), status
    writer.close()
    await writer.wait_closed()


async def test_a_half_open_handshake_and_half_a_frame_hold_nobody_up(
    api: Api, connect: Connect
) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    halves = []
    for _ in range(50):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /ws/chat HTTP/1.1\r\nHost: x\r\n")
        halves.append(writer)
        _, writer = await frames_socket(api, f"/ws/chat?token={new_person().token}")
        writer.write(client_frame(0x81, b"{" * 100, size=60_000))
        halves.append(writer)

    mina = new_person()
    session_id = await api.session(mina)
    client = await connect(api, "raw", mina, session_id)
    await client.ack("message", content="served all the same")

    for writer in halves:
        writer.close()
        await writer.wait_closed()
