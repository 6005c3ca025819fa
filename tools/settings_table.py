#!/usr/bin/env python3
"""Writes the settings table of README.md from the services' own --help; with --check only compares."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
README = REPOSITORY / "README.md"
BEGIN, END = "<!-- settings: make settings-table -->", "<!-- end of settings -->"
SERVICES = ("ingestor", "persister", "scheduler")
ROW = re.compile(r"^  ([A-Z][A-Z0-9_]+) +(\S.*?)(?:  +|$)(.*)$")


def rows_of(service: str, binaries: Path) -> dict[str, tuple[str, str]]:
    """Setting to (default, meaning), as the program itself prints them."""
    text = subprocess.run([binaries / service, "--help"], capture_output=True, text=True, check=True).stdout
    found = (ROW.match(line) for line in text.splitlines())
    return {match[1]: (match[2], match[3]) for match in found if match}


def default_text(default: str) -> str:
    return {"(none)": "", "(required)": "**required**"}.get(default, f"`{default}`")


def table(binaries: Path) -> str:
    """One row per setting, with the services that read it."""
    settings: dict[str, tuple[str, str]] = {}
    readers: dict[str, list[str]] = {}
    for service in SERVICES:
        for name, row in rows_of(service, binaries).items():
            settings.setdefault(name, row)
            readers.setdefault(name, []).append(service)
    lines = ["| setting | default | meaning | read by |", "|---|---|---|---|"]
    for name, (default, meaning) in settings.items():
        who = "all" if len(readers[name]) == len(SERVICES) else ", ".join(readers[name])
        lines.append(f"| `{name}` | {default_text(default)} | {meaning.replace('*', chr(92) + '*')} | {who} |")
    return "\n".join(lines)


def main() -> int:
    binaries = Path(os.environ.get("BUILD_DIR", REPOSITORY / "build")) / "bin"
    text = README.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    wanted = f"{before}{BEGIN}\n{table(binaries)}\n{END}{after}"
    if "--check" in sys.argv:
        if wanted != text:
            print("README.md: the settings table is not what --help says: make settings-table", file=sys.stderr)
        return int(wanted != text)
    README.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
