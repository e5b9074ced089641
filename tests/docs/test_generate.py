"""The generator: what is in the repository is what it would write, and drift is seen."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chat_protocol.export import markdown
from tools import generate, guides

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [
    "docs/api/openapi.json",
    "docs/api/asyncapi.json",
    "docs/api/sockets.schema.json",
    "docs/protocol.md",
    "service/chat_gateway/transports/docs/guides/protocol.html",
]


def test_nothing_in_the_repository_has_drifted() -> None:
    assert generate.drifted(generate.generated()) == []


def test_the_check_fails_and_names_each_file_that_was_changed(tmp_path: Path) -> None:
    for folder in ("tools", "docs", "service/chat_gateway/transports/docs/guides"):
        shutil.copytree(ROOT / folder, tmp_path / folder)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools.generate", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    originals = {name: (tmp_path / name).read_text(encoding="utf-8") for name in WRITTEN}
    for name, original in originals.items():
        assert "not_a_member" in original
        changed = original.replace("not_a_member", "not_a_friend")
        (tmp_path / name).write_text(changed, encoding="utf-8")
    checked = run("--check")
    assert checked.returncode == 1
    for name in WRITTEN:
        assert f"{name} has drifted" in checked.stderr
    assert run().returncode == 0
    for name, original in originals.items():
        assert (tmp_path / name).read_text(encoding="utf-8") == original
    (tmp_path / WRITTEN[0]).unlink()
    missing = run("--check")
    assert missing.returncode == 1
    assert WRITTEN[0] in missing.stderr


def test_a_page_must_have_every_generated_part_once() -> None:
    part = "<!-- generated: limits -->\nold\n<!-- /generated -->"
    assert "old" not in generate.fill(part, {"limits": "new"})
    for page, blocks, complaint in [
        ("", {"limits": "x"}, r"missing: \['limits'\]"),
        (part, {}, r"unknown: \['limits'\]"),
        (part + part, {"limits": "x"}, r"twice: \['limits'\]"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            generate.fill(page, blocks)


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    for name, block in markdown.blocks().items():
        rows = [line for line in block.splitlines() if line.startswith("|")]
        widths = {len(row.replace("\\|", "").split("|")) for row in rows}
        assert len(widths) <= 1, name


def test_the_documents_are_readable_json() -> None:
    for path in (ROOT / "docs" / "api").glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert json.loads(text)
        assert text.endswith("}\n")


def test_links_of_a_guide_lead_to_what_a_server_shows_and_else_are_text() -> None:
    html = guides.render(
        "[a](protocol.md#errors) [b](examples/) [c](#x) [d](https://a.io) [e](api/openapi.json)",
        "testing-guide.md",
    )
    assert re.findall(r'href="(.*?)"', html) == [
        "../docs/protocol#errors",
        "#x",
        "https://a.io",
        "../openapi.json",
    ]


def test_headings_of_a_guide_have_the_ids_that_links_in_the_repository_use() -> None:
    html = guides.render("## Close codes, *and* `x.y`\n\n## 3. 한글\n\n## 3. 한글\n", "protocol.md")
    assert re.findall(r'id="(.*?)"', html) == ["close-codes-and-xy", "3-한글", "3-한글-1"]
