"""Passwords: argon2id, off the loop, a few at a time."""

import asyncio
import unicodedata

import argon2
import pytest

from chat_gateway.identity import passwords
from chat_gateway.identity.passwords import Passwords
from tests.identity.refusals import refused


async def test_a_password_is_stored_as_argon2id_with_a_salt_of_its_own() -> None:
    keeper = Passwords()
    async with keeper.turn() as turn:
        one, two = await turn.hash("correct horse"), await turn.hash("correct horse")

    assert one != two
    kind = argon2.extract_parameters(one)
    assert kind.type is argon2.Type.ID
    assert kind.memory_cost >= 19 * 1024
    assert kind.time_cost >= 2
    assert "correct" not in one


async def test_only_the_password_itself_is_right() -> None:
    async with Passwords().turn() as turn:
        stored = await turn.hash("비밀번호 one two")

        assert await turn.verify(stored, "비밀번호 one two")
        assert not await turn.verify(stored, "비밀번호 one tw")
        assert not await turn.verify(stored, "비밀번호 one two ")


async def test_a_password_is_the_same_however_a_keyboard_composes_it() -> None:
    typed = "비밀번호 é"
    async with Passwords().turn() as turn:
        stored = await turn.hash(unicodedata.normalize("NFC", typed))

        assert await turn.verify(stored, unicodedata.normalize("NFD", typed))


async def test_where_there_is_no_account_no_password_is_right_and_it_takes_as_long() -> None:
    """The stand-in must cost what a real hash costs, or the time would tell."""
    async with Passwords().turn() as turn:
        stored = await turn.hash("correct horse")
        assert not await turn.verify(None, "correct horse")
        assert not await turn.verify(None, "")
    assert argon2.extract_parameters(passwords._NOBODYS_HASH) == argon2.extract_parameters(stored)


async def test_a_hash_that_is_none_is_never_right() -> None:
    async with Passwords().turn() as turn:
        for stored in ("", "garbage", "$argon2id$v=19$m=8,t=1,p=1$AAAA"):
            assert not await turn.verify(stored, "")


async def test_while_passwords_are_worked_on_the_loop_goes_on() -> None:
    keeper = Passwords()

    async def guess() -> None:
        async with keeper.turn() as turn:
            await turn.verify(None, "guess")

    storm = asyncio.gather(*(guess() for _ in range(5)))
    turns_of_the_loop = 0
    while not storm.done():
        await asyncio.sleep(0)
        turns_of_the_loop += 1
    await storm

    # On the loop itself they would take a turn each, and some to begin and end.
    assert turns_of_the_loop > 100


async def test_no_more_than_a_few_are_worked_on_at_a_time() -> None:
    keeper = Passwords()
    now = most = 0

    async def work() -> None:
        nonlocal now, most
        async with keeper.turn():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1

    await asyncio.gather(*(work() for _ in range(50)))

    assert most == passwords.AT_A_TIME


async def test_where_too_many_wait_the_next_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "WAITING_MAX", 3)
    keeper = Passwords()
    release = asyncio.Event()

    async def hold() -> None:
        async with keeper.turn():
            await release.wait()

    holders = [asyncio.create_task(hold()) for _ in range(passwords.AT_A_TIME + 3)]
    await asyncio.sleep(0)

    with refused("rate_limited") as error:
        async with keeper.turn():
            pass
    assert error.value.retry_after_ms
    release.set()
    await asyncio.gather(*holders)
    async with keeper.turn():
        pass
