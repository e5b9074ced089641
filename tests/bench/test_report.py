"""Rows become tables, goals, a page and JSON without losing what matters."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench.generator import Correctness
from bench.report import page, table
from bench.report.cells import case_tables
from bench.report.goals import goals
from bench.results import (
    DifferentMachines,
    Report,
    Row,
    joined,
    median_row,
    read_report,
    together,
)

RIGHT = Correctness(lost=0, duplicated=0, reordered=0)


def row(contender: str, server_us: float, **changes: object) -> Row:
    said: dict[str, object] = {
        "scenario": "room",
        "case": "1,000 members, 1 in flight",
        "contender": contender,
        "is_ours": contender.startswith("chat-gateway"),
        "facts": {"members": 1000, "in_flight": 1},
        "figures": {"server_us": server_us, "deliveries_per_s": 1000.0},
        "correctness": RIGHT,
        "latency_ns": [(1000, 3), (2000, 4)],
        **changes,
    }
    return Row(**said)  # type: ignore[arg-type]


REPORT = Report(
    taken_at="2026-01-01 12:00 UTC",
    effort="full",
    machine={"processor": "A Processor"},
    rows=[
        row("floor: C send() loop", 4.0),
        row("chat-gateway, raw", 5.0),
        row("Node ws", 10.0),
        row(
            "Centrifugo",
            0,
            figures={},
            correctness=None,
            latency_ns=[],
            missing="no Go to build it",
        ),
    ],
)


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    REPORT.write(tmp_path / "run.json")

    assert read_report(tmp_path / "run.json") == REPORT


def test_runs_of_one_machine_are_one_report() -> None:
    later = replace(REPORT, taken_at="2026-01-02 12:00 UTC", rows=[row("Node socket.io", 12.0)])

    report = together([REPORT, later])

    assert report.taken_at == REPORT.taken_at
    assert [each.contender for each in report.rows][-1] == "Node socket.io"


@pytest.mark.parametrize(
    "other", [replace(REPORT, machine={"processor": "Another"}), replace(REPORT, effort="quick")]
)
def test_runs_that_cannot_be_compared_are_kept_apart(other: Report) -> None:
    with pytest.raises(DifferentMachines):
        together([REPORT, other])


def test_figures_are_medians_and_keep_their_repeats() -> None:
    measured = median_row([{"server_us": 5.0}, {"server_us": 9.0}, {"server_us": 6.0}])

    assert measured["figures"] == {"server_us": 6.0}
    assert measured["repeats"] == {"server_us": [5.0, 9.0, 6.0]}


def test_histograms_are_added_up() -> None:
    assert joined([[(1, 2), (5, 1)], [(5, 3)]]) == [(1, 2), (5, 4)]


def test_ours_is_divided_by_every_other_of_the_same_case() -> None:
    (case,) = case_tables(REPORT)

    ratios = dict(zip(case.headings, case.lines[1], strict=True))
    assert ratios["÷ floor"] == "1.25"
    assert ratios["÷ ws"] == "0.50"


def test_goals_are_found_reached_missed_or_not_measured() -> None:
    found = {goal.what: goal for goal in goals(REPORT)}

    def of(end: str) -> bool | None:
        (goal,) = (goal for what, goal in found.items() if what.endswith(end))
        return goal.is_met

    assert of("1 in flight: CPU a delivery, chat-gateway, raw ÷ floor: C send() loop") is True
    assert of("1 in flight: CPU a delivery, chat-gateway, raw ÷ Node ws") is True
    assert of("1 in flight: CPU a delivery, chat-gateway, raw ÷ Centrifugo") is None


def test_a_goal_beside_a_peer_says_what_the_floor_comes_to() -> None:
    said = [goal.floor_found for goal in goals(REPORT) if goal.what.endswith("÷ Node ws")]

    assert said[0] == "0.40 ×"


def test_a_server_that_was_not_measured_is_shouted_about() -> None:
    said = io.StringIO()

    table.shown(REPORT, Console(width=200, file=said))

    assert "NOT MEASURED" in said.getvalue()
    assert "no Go to build it" in said.getvalue()


def test_a_wrong_delivery_marks_its_line() -> None:
    wrong = Correctness(lost=1, duplicated=0, reordered=0)
    report = Report(
        taken_at="", effort="", machine={}, rows=[row("Node ws", 10.0, correctness=wrong)]
    )

    (case,) = case_tables(report)

    assert list(case.wrong) == [True]
    assert "1/0/0" in case.lines[0]


def test_the_page_has_the_machine_the_rows_and_the_pictures(tmp_path: Path) -> None:
    page.write(REPORT, tmp_path / "performance.md")

    text = (tmp_path / "performance.md").read_text()
    assert "A Processor" in text
    assert "| **chat-gateway, raw** |" in text
    assert "NOT MEASURED: no Go to build it" in text
    assert "(performance/cpu.svg)" in text
    assert (tmp_path / "performance" / "cpu.svg").read_text().startswith("<?xml")
