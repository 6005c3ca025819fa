"""The README says what the programs do."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from harness import BINARIES
from pipeline import REPOSITORY

PATTERNS = ("*.md", "docs/*.md", "docs/examples/*.md", "docs/decisions/*.md", "tools/*/*.md")
DOCUMENTS = sorted(str(path.relative_to(REPOSITORY)) for pattern in PATTERNS for path in REPOSITORY.glob(pattern))


def test_the_settings_table_is_what_help_prints() -> None:
    environment = {**os.environ, "BUILD_DIR": str(BINARIES.parent)}
    checked = subprocess.run(
        [REPOSITORY / "tools/settings_table.py", "--check"], env=environment, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_make_targets_and_files_that_it_names_exist(document: str) -> None:
    path = REPOSITORY / document
    text = path.read_text()
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z][a-z-]*)|^make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert {first or second for first, second in named} <= targets
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
