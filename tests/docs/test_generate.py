"""The generator: what is in the repository is what it would write, and drift is seen."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools import generate

from chat_protocol.export import markdown

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = ["api/openapi.json", "api/asyncapi.json", "api/sockets.schema.json", "protocol.md"]


def test_nothing_in_the_repository_has_drifted() -> None:
    assert generate.drifted(generate.generated()) == []


def test_the_check_fails_and_names_each_file_that_was_changed(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "generate.py", tmp_path / "tools")
    shutil.copytree(ROOT / "docs" / "api", tmp_path / "docs" / "api")
    shutil.copy(ROOT / "docs" / "protocol.md", tmp_path / "docs")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(tmp_path / "tools" / "generate.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    originals = {name: (tmp_path / "docs" / name).read_text(encoding="utf-8") for name in WRITTEN}
    for name, original in originals.items():
        assert "not_a_member" in original
        changed = original.replace("not_a_member", "not_a_friend")
        (tmp_path / "docs" / name).write_text(changed, encoding="utf-8")
    checked = run("--check")
    assert checked.returncode == 1
    for name in WRITTEN:
        assert f"docs/{name} has drifted" in checked.stderr
    assert run().returncode == 0
    for name, original in originals.items():
        assert (tmp_path / "docs" / name).read_text(encoding="utf-8") == original
    (tmp_path / "docs" / WRITTEN[0]).unlink()
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
