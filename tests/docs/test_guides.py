"""What the pages say agrees with the code, with each other, and with the files that they show."""

import dataclasses
import re
from pathlib import Path

import pytest

from chat_gateway.config import Settings, read_settings, variable_of
from chat_gateway.metrics import Metrics
from chat_protocol.codec import decode_raw
from chat_protocol.errors import REGISTRY
from tests.docs.pages import DOCS, GUIDE, GUIDE_KO, PAGES, ROOT, blocks, prose

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The ids that GitHub gives the headings of a page."""
    headings = HEADING.findall(prose(page))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def rows(page: Path, heading: str) -> list[list[str]]:
    """The rows of the tables below a heading of the second level."""
    text = prose(page).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert text, heading
    return [[cell.strip() for cell in row.split("|")] for row in ROW.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), link
        if anchor:
            assert anchor in anchors(there), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_listing_of_a_file_is_that_file(page: Path) -> None:
    for block in blocks(page):
        if block.mark.startswith("file: "):
            path = ROOT / block.mark.removeprefix("file: ")
            assert block.text == path.read_text(encoding="utf-8").strip(), path.name


def test_every_example_but_the_load_test_is_shown_in_the_guide() -> None:
    shown = {block.mark.rpartition("/")[2] for block in blocks(GUIDE) if "file: " in block.mark}
    there = {path.name for path in (DOCS / "examples").glob("*.*js")}
    assert shown == there


def test_both_languages_show_the_same_listings() -> None:
    assert blocks(GUIDE_KO) == blocks(GUIDE)


def test_every_object_to_send_is_a_command() -> None:
    lines = [
        line for block in blocks(GUIDE) if block.mark == "send" for line in block.text.splitlines()
    ]
    assert len(lines) > 5
    for line in lines:
        decode_raw(line)


@pytest.mark.parametrize(
    ("page", "heading"),
    [(GUIDE, "16. When something is refused"), (GUIDE_KO, "16. 거부되었을 때")],
)
def test_trouble_shooting_names_codes_as_the_registry_has_them(page: Path, heading: str) -> None:
    named: set[str] = set()
    for cells in rows(page, heading):
        codes = [code for code in re.findall(r"`(\w+)`", " ".join(cells[:2])) if code in REGISTRY]
        named.update(codes)
        for number in re.findall(r"\b(\d{3,4})\b", cells[0]):
            specs = [REGISTRY[code] for code in codes]
            known = {spec.http_status for spec in specs} | {spec.close_code for spec in specs}
            assert int(number) in known or number == "1006", (number, cells)
    # What a tester can meet by hand; the rest is in the reference.
    closing = {code for code, spec in REGISTRY.items() if spec.close_code is not None}
    assert closing - named <= {"internal", "keys_unavailable", "invalid_ticket"}


def test_operations_explains_every_setting_with_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in (variable_of(field.name) for field in dataclasses.fields(Settings)):
        monkeypatch.delenv(variable, raising=False)
    defaults = read_settings()
    said = {cells[0].strip("`"): cells[1] for cells in rows(DOCS / "operations.md", "Settings")[2:]}
    assert set(said) == {variable_of(field.name) for field in dataclasses.fields(Settings)}
    for field in dataclasses.fields(Settings):
        value = getattr(defaults, field.name)
        if field.name in {"store", "public_url", "jwt_secret"}:  # made from other settings
            continue
        shown = said[variable_of(field.name)].strip("`")
        match value:
            case None:
                assert shown == ""
            case bool():
                assert shown == ("on" if value else "off")
            case float():
                assert float(shown) == value
            case tuple():
                assert shown == ",".join(value)
            case _:
                assert shown == str(value)


def test_operations_explains_every_metric_with_its_labels() -> None:
    said = [cells[0].strip("`") for cells in rows(DOCS / "operations.md", "Metrics")[2:]]
    there = []
    for family in Metrics().registry.collect():
        labels = next(
            metric._labelnames
            for metric in vars(Metrics()).values()
            if getattr(metric, "_name", None) == family.name
        )
        suffix = "_total" if family.type == "counter" else ""
        named = f"{{{','.join(labels)}}}" if labels else ""
        there.append(family.name + suffix + named)
    assert sorted(said) == sorted(there)


def test_every_file_that_the_architecture_names_is_there() -> None:
    places = (ROOT, DOCS, ROOT / "service" / "chat_gateway", ROOT / "protocol", ROOT / "service")
    for name in re.findall(r"`([\w./]+(?:\.py|\.md|/))`", prose(DOCS / "architecture.md")):
        # What stands in a table may be named without its folder.
        found = any((place / name).exists() for place in places)
        assert found or any(ROOT.glob(f"*/chat_*/**/{name}")), name
