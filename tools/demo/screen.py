"""Shows the figures: a screen redrawn in place on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from types import TracebackType

from figures import SERVICES, Figures, Price

PLAIN_LINE_SECONDS = 5
BAR_CELLS = 28
_CODES = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "red": "31", "cyan": "36"}


def open_display(title: str, hints: list[str]) -> TerminalScreen | PlainLines:
    """The display that suits standard output."""
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return TerminalScreen(title, hints)
    return PlainLines(title, hints)


class PlainLines:
    """For pipes and logs: one line every few seconds."""

    def __init__(self, title: str, hints: list[str]) -> None:
        self._intro = [title, *hints]
        self._last_shown = -PLAIN_LINE_SECONDS

    def __enter__(self) -> PlainLines:
        print("\n".join(self._intro), flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, figures: Figures) -> None:
        """Prints a line when it is time for one."""
        if figures.elapsed_seconds - self._last_shown >= PLAIN_LINE_SECONDS:
            self._last_shown = figures.elapsed_seconds
            print(_plain_line(figures), flush=True)


class TerminalScreen:
    """Redraws on the alternate screen in one write per frame, so nothing flickers and nothing scrolls away."""

    def __init__(self, title: str, hints: list[str]) -> None:
        self._title = title
        self._hints = hints
        self._has_colour = not os.environ.get("NO_COLOR")

    def __enter__(self) -> TerminalScreen:
        self._write("\x1b[?1049h\x1b[?25l\x1b[2J")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("\x1b[?25h\x1b[?1049l")

    def show(self, figures: Figures) -> None:
        """Draws one frame, cut to the window."""
        columns, rows = shutil.get_terminal_size()
        lines = [self._paint(line, columns) for line in self._lines(figures)[: rows - 1]]
        self._write("\x1b[?2026h\x1b[H" + "".join(f"{line}\x1b[K\r\n" for line in lines) + "\x1b[J\x1b[?2026l")

    def _lines(self, figures: Figures) -> list[list[tuple[str, str]]]:
        """The frame as lines of (style, text)."""
        return [
            [("bold", f" {self._title}"), ("dim", f"   {_clock(figures.elapsed_seconds)}   Ctrl-C stops")],
            [],
            *_service_lines(figures),
            [],
            *_figure_lines(figures),
            [],
            *_price_lines(figures.prices),
            [],
            *([("dim", f" {hint}")] for hint in self._hints),
        ]

    def _paint(self, line: list[tuple[str, str]], columns: int) -> str:
        painted, room = "", columns
        for style, text in line:
            shown = text[:room]
            room -= len(shown)
            painted += f"\x1b[{_CODES[style]}m{shown}\x1b[0m" if style and self._has_colour else shown
        return painted

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _service_lines(figures: Figures) -> list[list[tuple[str, str]]]:
    lines: list[list[tuple[str, str]]] = [[]]
    for name in SERVICES:
        reasons = figures.reasons.get(name, {})
        lines[0] += [("red" if reasons else "green", " ● "), ("", f"{name} {'waits' if reasons else 'ready'}  ")]
        lines += [[("yellow", f"   {name}: {condition}: {why}")] for condition, why in reasons.items()]
    return lines


def _figure_lines(figures: Figures) -> list[list[tuple[str, str]]]:
    rows = ", ".join(f"{table} {count:,}" for table, count in figures.rows.items())
    slowest = f"p99 {_duration(figures.latency_p99)}  received → committed"
    lines = [
        ("trades in", _rate(figures.trades_per_second), f"{figures.trades_received:,} received"),
        ("to Kafka", _rate(figures.records_per_second), "records of all topics"),
        ("to PostgreSQL", _rate(figures.rows_per_second), rows),
        ("latency", f"p50 {_duration(figures.latency_p50)}", slowest),
        ("consumer lag", f"{figures.lag:,}", "records not yet in PostgreSQL"),
        ("gaps", f"{figures.gaps_found:,} found", _gap_text(figures)),
        ("dead letters", f"{figures.dead_letters:,}", ""),
    ]
    shown = [[("", f" {name:14}"), ("bold", f"{value:>12}"), ("", f"   {detail}")] for name, value, detail in lines]
    return [*shown, _backfill_line(figures)]


def _backfill_line(figures: Figures) -> list[tuple[str, str]]:
    if figures.bars_total == 0:
        return [("", f" {'backfill':14}"), ("dim", "   not planned yet")]
    share = min(1.0, figures.bars_done / figures.bars_total)
    filled = int(share * BAR_CELLS)
    detail = f" {100 * share:5.1f} %  {figures.bars_done:,} of {figures.bars_total:,} bars{_time_left(figures)}"
    return [("", f" {'backfill':14} "), ("cyan", "█" * filled), ("dim", "░" * (BAR_CELLS - filled)), ("", detail)]


def _price_lines(prices: list[Price]) -> list[list[tuple[str, str]]]:
    head = [("dim", f" {'instrument':14}{'last price':>18}{'size':>20}  {'side':6}{'age':>8}")]
    return [
        head,
        *(
            [
                ("", f" {each.inst_id:14}"),
                ("bold", f"{each.price:>18}"),
                ("", f"{each.size:>20}  "),
                ("green" if each.side == "buy" else "red", f"{each.side:6}"),
                ("", f"{_duration(each.age_seconds):>8}"),
            ]
            for each in prices
        ),
    ]


def _plain_line(figures: Figures) -> str:
    waiting = [name for name, reasons in figures.reasons.items() if reasons]
    share = 100 * figures.bars_done / figures.bars_total if figures.bars_total else 0
    parts = [
        f"{_clock(figures.elapsed_seconds)}",
        f"trades {_rate(figures.trades_per_second)}",
        f"kafka {_rate(figures.records_per_second)}",
        f"rows {sum(figures.rows.values()):,}",
        f"latency p50 {_duration(figures.latency_p50)} p99 {_duration(figures.latency_p99)}",
        f"lag {figures.lag:,}",
        f"backfill {share:.1f} %{_time_left(figures)}",
        f"gaps {figures.gaps_found} ({_gap_text(figures)})",
        f"waiting for {', '.join(waiting)}" if waiting else "all ready",
    ]
    return "  ".join(parts)


def _gap_text(figures: Figures) -> str:
    text = f"{figures.gaps_repaired:,} repaired, {figures.trades_missing:,} trades missing"
    return text + (f", {figures.trades_unfillable:,} unfillable" if figures.trades_unfillable else "")


def _time_left(figures: Figures) -> str:
    if figures.bars_done >= figures.bars_total or figures.backfill_seconds_left is None:
        return ""
    return f", {_clock(figures.backfill_seconds_left)} left"


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}/s"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else _clock(seconds)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
