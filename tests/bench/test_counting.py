"""The load generator sees every fault that a server can commit, and none where there is none."""

import asyncio
from dataclasses import replace

import pytest

from bench.generator import Correctness, LoadFailed, Run, load
from bench.plan import Crowd, Plan
from bench.scenarios.measuring import sample_of, serving
from bench.servers import FLOOR
from tests.bench.conftest import Broadcast, Serve

RIGHT = Correctness(lost=0, duplicated=0, reordered=0)


async def run(plan: Plan, *, in_flight: int = 4, drain_s: float = 0.5) -> Run:
    """Connect everyone, post for a moment, and wait for what is under way."""

    def post() -> Run:
        with load(plan) as generator:
            generator.connect()
            return generator.run(seconds=0.2, warm_up_s=0, in_flight=in_flight, drain_s=drain_s)

    return await asyncio.to_thread(post)


async def test_a_server_that_delivers_everything_once_in_order_is_found_right(
    serve: Serve,
) -> None:
    room = Broadcast()

    found = await run(await serve(room, 5))

    assert found.correctness == RIGHT
    assert room.count >= found.posted > 0
    assert found.delivered >= found.completed * 5


async def test_what_one_member_does_not_get_is_lost(serve: Serve) -> None:
    class Forgetful(Broadcast):
        async def said(self, text: str) -> None:
            self.count += 1
            for peer in self.peers[self.count == 3 :]:
                await peer.send_str(text)

    found = await run(await serve(Forgetful(), 5))

    assert found.correctness == replace(RIGHT, lost=1)


async def test_what_a_member_gets_twice_is_duplicated(serve: Serve) -> None:
    class Repeating(Broadcast):
        async def said(self, text: str) -> None:
            await super().said(text)
            if self.count == 3:
                await self.peers[0].send_str(text)

    found = await run(await serve(Repeating(), 5))

    assert found.correctness == replace(RIGHT, duplicated=1)


async def test_messages_of_one_sender_in_another_order_are_reordered(serve: Serve) -> None:
    class Swapping(Broadcast):
        held = ""

        async def said(self, text: str) -> None:
            self.count += 1
            first, *others = self.peers
            for peer in others:
                await peer.send_str(text)
            # The first member gets the first two messages the other way round.
            if self.count == 1:
                self.held = text
                return
            await first.send_str(text)
            if self.count == 2:
                await first.send_str(self.held)

    # Two under way of the one member who posts.
    plan = await serve(Swapping(), 3)
    listeners = [replace(each, message=None) for each in plan.connections[1:]]
    found = await run(replace(plan, connections=[plan.connections[0], *listeners]), in_flight=2)

    assert found.correctness.lost == found.correctness.duplicated == 0
    # One message came late, and this member saw another order than the others.
    assert found.correctness.reordered >= 1


async def test_members_who_see_messages_of_two_senders_in_different_order_are_reordered(
    serve: Serve,
) -> None:
    class Disagreeing(Broadcast):
        held = ""

        async def said(self, text: str) -> None:
            self.count += 1
            first, *others = self.peers
            for peer in others:
                await peer.send_str(text)
            if self.count == 1:
                self.held = text
                return
            await first.send_str(text)
            if self.count == 2:
                await first.send_str(self.held)

    found = await run(await serve(Disagreeing(), 2), in_flight=2)

    # Each sender's own messages are in order; only the members' orders differ.
    assert found.correctness == replace(RIGHT, reordered=1)


async def test_a_message_of_another_room_is_misrouted(serve: Serve) -> None:
    class Leaking(Broadcast):
        async def said(self, text: str) -> None:
            await super().said(text)
            if self.count == 3:
                await self.peers[0].send_str(text.replace("~R0000", "~R0001"))

    found = await run(await serve(Leaking(), 5))

    assert found.correctness == replace(RIGHT, misrouted=1)


async def test_a_member_who_is_thrown_out_has_ended(serve: Serve) -> None:
    class Bouncer(Broadcast):
        async def said(self, text: str) -> None:
            await super().said(text)
            if self.count == 3:
                await self.peers.pop().close(code=4008)

    found = await run(await serve(Bouncer(), 5))

    assert found.correctness.ended == 1
    assert found.correctness.lost > 0


async def test_a_server_that_refuses_is_no_figure_but_a_failure(serve: Serve) -> None:
    plan = await serve(Broadcast(), 2)
    lost_way = [replace(each, path="/nowhere") for each in plan.connections]

    with pytest.raises(LoadFailed, match="404"):
        await run(replace(plan, connections=lost_way))


@pytest.mark.parametrize(("rooms", "members"), [(1, 50), (20, 3)])
def test_the_floor_delivers_every_message_to_every_member_of_its_room(
    rooms: int, members: int
) -> None:
    with serving(FLOOR, Crowd(rooms=rooms, members=members)) as (_, generator):
        assert generator.connect().ready == rooms * members
        found = generator.run(seconds=0.3, warm_up_s=0.1, in_flight=3)

    assert found.correctness == RIGHT
    assert found.completed > 0
    # What is under way at the borders of the measured time is at most in half of the members.
    assert abs(found.delivered - found.completed * members) <= 2 * 3 * rooms * members
    assert sum(count for _, count in found.latency_ns) == found.delivered


def test_a_pace_is_kept() -> None:
    with serving(FLOOR, Crowd(rooms=1, members=4)) as (_, generator):
        generator.connect()
        found = generator.run(seconds=0.5, warm_up_s=0, per_s=40)

    assert found.posted <= 21
    assert found.correctness == RIGHT


def test_percentiles_are_those_of_the_deliveries() -> None:
    found = Run(
        seconds=1.0,
        posted=1,
        delivered=100,
        completed=1,
        server_cpu_s=0.001,
        load_cpu_s=0.95,
        latency_ns=[(1_000_000, 50), (2_000_000, 49), (9_000_000, 1)],
        correctness=RIGHT,
    )

    assert found.latency_ms(0.5) == 1.0
    assert found.latency_ms(0.99) == 2.0
    assert found.latency_ms(0.999) == 9.0
    assert found.server_us == pytest.approx(10)
    assert "limit" in sample_of(found).note
