"""The commands of the README are there."""

import re
import subprocess
import sys

from tests.docs.pages import PAGES, README, ROOT, blocks


def test_the_two_commands_come_first() -> None:
    assert [block.text for block in blocks(README)[:2]] == ["make run", "make test"]


def test_every_target_that_is_named_exists() -> None:
    pages = README.read_text() + (ROOT / "docs" / "operations.md").read_text()
    named = set(re.findall(r"\bmake (run|test|check|\w+(?=`))", pages))
    makefile = (ROOT / "Makefile").read_text()
    assert {"run", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_command_of_the_service_that_is_named_exists() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "chat_gateway.cli.main", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for page in PAGES:
        for command in re.findall(
            r"chat-gateway (serve|demo|token|[a-z]+-[a-z]+)", page.read_text()
        ):
            assert re.search(rf"^  {command} ", said, re.MULTILINE), (page.name, command)


def test_the_tree_of_the_readme_is_the_tree_of_the_repository() -> None:
    tree = next(block.text for block in blocks(README) if "protocol/chat_protocol/" in block.text)
    above = ROOT
    for line in tree.splitlines():
        names = re.findall(r"[\w/]+/(?=\s)", line.split("   ")[0] + " ")
        for name in names:
            here = ROOT / name if not line.startswith(" ") else above / name
            assert here.is_dir(), name
        if not line.startswith(" ") and names:
            above = ROOT / names[0]
