"""Results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import typer


@contextlib.contextmanager
def quiet_stdout() -> Iterator[None]:
    """Keep stdout free for the result: what libraries print meanwhile goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def speak_any_alphabet() -> None:
    """Write what stdout's encoding lacks as an escape: Windows pipes know one alphabet only."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def print_json(result: Mapping[str, Any]) -> None:
    """One JSON object in ASCII, so that it goes through any pipe.

    NaN and infinity are refused: they are not JSON.
    """
    typer.echo(json.dumps(result, indent=2, allow_nan=False))


def print_warnings(warnings: Iterable[str]) -> None:
    for warning in warnings:
        typer.echo(f"warning: {printable(warning)}", err=True)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as they need; the first to the left, the others to the right."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        typer.echo("  ".join(cells).rstrip())


def print_fields(fields: Mapping[str, str]) -> None:
    """Names and values in two columns."""
    width = max(map(len, fields))
    for name, value in fields.items():
        typer.echo(f"{name.ljust(width)}  {printable(value)}".rstrip())


def printable(text: str) -> str:
    """`text` with escapes for what a file name may hold but no terminal should be sent."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def counted(count: int, noun: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
