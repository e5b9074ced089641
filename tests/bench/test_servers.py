"""The gateway and its peers can be measured: everyone comes in, and gets everything."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench import native, usage
from bench.generator import Correctness, load
from bench.plan import MARK, Crowd
from bench.scenarios.measuring import serving
from bench.servers import AIOHTTP, NODE_SOCKETIO, NODE_WS, POLLING_PEERS, PYTHON_SOCKETIO
from bench.servers.base import Contender, Missing
from bench.servers.gateway import Gateway

RIGHT = Correctness(lost=0, duplicated=0, reordered=0)


def ids(contenders: Sequence[Contender]) -> Sequence[str]:
    """Names for the parameters of a test."""
    return [contender.name for contender in contenders]


GATEWAYS: list[Contender] = [
    Gateway(ways=("raw", "socketio", "polling")),
    Gateway(ways=("raw",), log_level="info"),
]
PYTHON_PEERS = [AIOHTTP, PYTHON_SOCKETIO, POLLING_PEERS[1]]
NODE_PEERS = [NODE_WS, NODE_SOCKETIO, POLLING_PEERS[0]]


def everyone_gets_everything(contender: Contender) -> None:
    try:
        contender.prepare()
    except Missing as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"NOT TRIED: {contender.name}: {error}")
    with serving(contender, Crowd(rooms=2, members=6)) as (plan, generator):
        assert generator.connect().ready == 12
        assert usage.rss_kib(plan.pids) > 0
        found = generator.run(seconds=0.3, warm_up_s=0, in_flight=2)

    assert found.correctness == RIGHT
    assert found.completed > 0


@pytest.mark.parametrize("gateway", GATEWAYS, ids=ids(GATEWAYS))
def test_members_of_the_gateway_get_everything_by_every_way(gateway: Contender) -> None:
    everyone_gets_everything(gateway)


@pytest.mark.parametrize("peer", PYTHON_PEERS, ids=["aiohttp", "python-socketio", "polling"])
def test_members_of_a_peer_in_python_get_everything(peer: Contender) -> None:
    everyone_gets_everything(peer)


@pytest.mark.node
@pytest.mark.parametrize("peer", NODE_PEERS, ids=["ws", "socket.io", "polling"])
def test_members_of_a_peer_in_node_get_everything(peer: Contender) -> None:
    everyone_gets_everything(peer)


@pytest.mark.parametrize("way", ["raw", "socketio"])
def test_who_comes_back_gets_all_that_was_missed(way: str) -> None:
    gateway = Gateway(ways=("raw" if way == "raw" else "socketio",), history=450)
    with serving(gateway, Crowd(rooms=1, members=3)) as (_, generator):
        generator.connect()
        found = generator.expect(450)

    assert found.done == 3
    assert len(found.each_s) == 3
    assert found.correctness == RIGHT


def test_a_member_who_does_not_read_is_closed_with_4008_and_the_others_get_everything() -> None:
    gateway = Gateway(ways=("raw",))
    with gateway.serve(Crowd(rooms=1, members=3)) as plan:
        long = "x" * 3900
        *others, last = (
            replace(each, message=f'{{"type":"message","content":"{MARK}{long}"}}')
            for each in plan.connections
        )
        last = replace(last, receive_buffer_bytes=4096)
        with load(replace(plan, connections=[*others, last])) as generator:
            generator.connect()
            generator.stall()
            found = generator.run(seconds=3.0, warm_up_s=0, in_flight=64)
            released = generator.release()

    assert found.correctness == RIGHT
    assert released.ended
    assert released.close_code == 4008
    assert 0 < released.received < found.posted


def test_the_compiled_programs_are_kept() -> None:
    first: Path = native.load_generator()
    made_ns = first.stat().st_mtime_ns

    assert native.load_generator() == first
    assert first.stat().st_mtime_ns == made_ns
