"""What asks for nothing may not be sent without end either: each costs the server a look."""

import json

import aiohttp
import pytest

from chat_gateway.transports.socketio.engine import POLL_MAX_PACKETS
from tests.parts.people import Api, new_person
from tests.parts.raw_clients import RawSocket
from tests.parts.service import Serve
from tests.parts.socketio_clients import PacketSocket, PollingSession

FLOOD = 400
"""More than a burst, and than what may follow it before the connection is closed."""


async def test_a_flood_of_pongs_is_ended_as_one_of_pings_is(service: Api) -> None:
    mina = new_person()
    socket = await RawSocket.open(f"{service.url.replace('http', 'ws')}/ws/chat?token={mina.token}")
    await socket.receive_object("ready")

    for _ in range(FLOOD):
        await socket.socket.send_frame(b"", aiohttp.WSMsgType.PONG)

    last, code = await socket.close_code()
    assert last is not None
    assert (last["code"], code) == ("rate_limited", 4029)
    await socket.close()


@pytest.mark.parametrize("packet", ["2", "3", "6", "43[]", "40/other,"])
async def test_a_flood_of_packets_that_ask_for_nothing_is_ended(service: Api, packet: str) -> None:
    socket = await PacketSocket.open(service.url)
    await socket.connect(json.dumps({"token": new_person().token}))
    await socket.receive_starting('42["ready"')

    for _ in range(FLOOD):
        await socket.send(packet)

    packets, code = await socket.closed()
    assert json.loads(packets[-1][2:])[1]["code"] == "rate_limited"
    assert code == 4029
    await socket.close()


async def test_a_client_that_posts_and_never_polls_makes_no_heap_of_answers(
    service: Api, http: aiohttp.ClientSession
) -> None:
    polling = await PollingSession.open(http, service.url)
    await polling.post("40" + json.dumps({"token": new_person().token}))
    await polling.poll()

    await polling.post(*["40/other,"] * 5000)

    packets: list[str] = []
    while "1" not in packets:
        status, polled = await polling.poll()
        assert status == 200
        packets += polled
    assert json.loads(packets[-2][2:])[1]["code"] == "rate_limited"
    assert len(packets) < FLOOD


async def test_an_upgrade_takes_along_all_that_waited_however_much_it_is(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    service = await serve(rate_limits=False)
    mina = new_person()
    session_id = await service.session(mina)
    attachment = {"url": f"http://localhost/{'x' * 2000}"}
    for _ in range(200):
        await service.post(mina, session_id, "가" * 4000, attachments=[attachment] * 10)
    polling = await PollingSession.open(http, service.url)
    auth = {"token": mina.token, "sessionId": session_id, "lastSeq": 0}
    await polling.post("40" + json.dumps(auth))
    seqs: list[int] = []

    def hear(packet: str) -> None:
        if packet.startswith('42["message"'):
            seqs.append(json.loads(packet[2:])[1]["seq"])

    for packet in (await polling.poll())[1]:
        hear(packet)
    assert len(seqs) < POLL_MAX_PACKETS
    socket = await RawSocket.open(
        polling.url.replace("http", "ws").replace("polling", "websocket"),
        receive_buffer_bytes=32 << 10,
    )
    await socket.send_text("2probe")
    assert await socket.receive() == "3probe"
    for packet in (await polling.poll())[1]:
        hear(packet)
    await socket.send_text("5")

    while len(seqs) < 200:
        heard = await socket.receive()
        assert isinstance(heard, str), f"closed with {heard} after {seqs}"
        hear(heard)

    assert seqs == list(range(1, 201))
    await socket.close()
