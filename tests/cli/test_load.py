"""`chat-gateway load`: it counts right, and says what a server refuses."""

import asyncio
import re
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chat_gateway.cli.load_tally import Tally, View, percentile
from tests.cli.commands import COMMAND, chat_gateway, environment
from tests.parts.people import Api, new_person
from tests.parts.server import ServerProcess, free_port


@pytest.mark.parametrize("wire", ["raw", "socketio", "both"])
def test_everything_posted_reaches_every_client_once(
    server: ServerProcess, tmp_path: Path, wire: str
) -> None:
    done = chat_gateway(
        *("load", "--url", server.url, "--wire", wire),
        *("--connections", "6", "--seconds", "0.5", "--per-second", "40"),
        cwd=tmp_path,
    )

    assert done.returncode == 0, done
    assert "20 posted, 20 acknowledged, 120 deliveries to 6 clients" in done.stdout
    assert "lost 0, duplicated 0, reordered 0" in done.stdout
    assert "connected" in done.stderr


async def test_it_joins_a_session_that_is_there_and_leaves_it(
    server: ServerProcess, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    api, mina = Api(http, server.url), new_person("Mina")
    session_id = await api.session(mina)
    await api.post(mina, session_id, "Before the load")

    done = await asyncio.to_thread(
        chat_gateway,
        *("load", "--url", server.url, "--token", mina.token, "--session", session_id),
        *("--connections", "2", "--seconds", "0.1", "--per-second", "50"),
        cwd=tmp_path,
    )

    assert done.returncode == 0, done
    assert len(await api.log(mina, session_id)) == 1 + 5


def test_what_the_rate_limit_refuses_is_no_loss(server: ServerProcess, tmp_path: Path) -> None:
    done = chat_gateway(
        *("load", "--url", server.url, "--connections", "1"),
        *("--seconds", "0.2", "--per-second", "1000"),
        cwd=tmp_path,
    )

    assert done.returncode == 0, done
    assert re.search(r"refused with rate_limited: \d+", done.stdout)
    assert "lost 0, duplicated 0, reordered 0" in done.stdout


def test_a_connection_too_many_is_said_in_one_line(server: ServerProcess, tmp_path: Path) -> None:
    done = chat_gateway(
        "load", "--url", server.url, "--connections", "201", "--seconds", "1", cwd=tmp_path
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert "Error: connection 201 of 201: refused: too_many_connections" in done.stderr


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    done = chat_gateway("load", "--url", f"http://127.0.0.1:{free_port()}", cwd=tmp_path)

    assert done.returncode == 1
    assert "Cannot connect" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_session_needs_a_token(tmp_path: Path) -> None:
    done = chat_gateway("load", "--session", "s", cwd=tmp_path)

    assert done.returncode == 2
    assert "--session needs the --token of a member." in done.stderr


async def test_ctrl_c_ends_the_posting_and_shows_what_there_is(
    server: ServerProcess, tmp_path: Path
) -> None:
    before = sum("Broadcasting message" in line for line in server.lines)
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "load", "--url", server.url, "--connections", "3", "--seconds", "600"),
        cwd=tmp_path,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await server.logged("Broadcasting message", times=before + 1)
    process.send_signal(signal.SIGINT)
    out, _ = await asyncio.wait_for(process.communicate(), 20)

    assert process.returncode == 0
    assert b"lost 0, duplicated 0, reordered 0" in out


# --- counting -----------------------------------------------------------------------------------


def message(seq: int, message_id: str) -> dict[str, Any]:
    return {"type": "message", "seq": seq, "clientMessageId": message_id}


def heard(*seqs: int, head: int = 0) -> View:
    view = View(head)
    for seq in seqs:
        view.heard(seq)
    return view


@pytest.mark.parametrize(
    ("seqs", "holes", "duplicated", "reordered"),
    [
        ((1, 2, 3), 0, 0, 0),
        ((1, 3), 1, 0, 0),
        ((1, 2, 2, 3), 0, 1, 0),
        ((1, 3, 2), 0, 0, 1),
        ((2, 2, 1, 1), 0, 2, 1),
    ],
)
def test_a_view_sees_holes_repeats_and_late_comers(
    seqs: tuple[int, ...], holes: int, duplicated: int, reordered: int
) -> None:
    view = heard(*seqs)

    assert (view.holes, view.duplicated, view.reordered) == (holes, duplicated, reordered)


def test_an_acknowledged_message_that_did_not_come_is_lost() -> None:
    tally = Tally(views=[View(0), View(0)])
    for number, message_id in enumerate(("a", "b"), 1):
        tally.post(message_id, 1.0)
        tally.answer(message_id, {"type": "ack"}, 1.5)
        tally.hear(tally.views[0], message(number, message_id), 2.0)
    tally.hear(tally.views[1], message(1, "a"), 2.0)

    # The last one is no hole in the log yet, and is missing all the same.
    assert tally.lost == 1
    assert tally.went_wrong
    assert tally.ack_s == [0.5, 0.5]
    assert tally.receive_s == [1.0, 1.0, 1.0]

    tally.hear(tally.views[1], message(2, "b"), 2.0)
    assert not tally.went_wrong
    assert tally.is_settled


def test_a_message_that_was_refused_is_neither_lost_nor_unanswered() -> None:
    tally = Tally(views=[View(0)])
    tally.post("a", 1.0)
    assert tally.unanswered == 1

    tally.answer("a", {"type": "error", "code": "rate_limited"}, 1.1)

    assert tally.is_settled
    assert tally.refused == {"rate_limited": 1}
    assert not tally.went_wrong


def test_what_others_say_in_the_session_is_kept_in_order_and_not_counted() -> None:
    tally = Tally(views=[View(7)])
    tally.hear(tally.views[0], {"type": "typing", "accountId": "jun"}, 1.0)
    tally.hear(tally.views[0], message(8, "of somebody else"), 1.0)

    assert tally.receive_s == []
    assert not tally.went_wrong


def test_percentiles_of_sorted_times() -> None:
    times = [float(each) for each in range(1, 101)]

    assert percentile(times, 0.5) == 51.0
    assert percentile(times, 0.99) == 100.0
    assert percentile(times, 1) == 100.0
    assert percentile([], 0.5) == 0.0
