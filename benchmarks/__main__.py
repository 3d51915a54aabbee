"""Run one benchmark and print its result: `python -m benchmarks NAME [--json]`.

What else a benchmark takes are the parameters of its `run`: `--cases 3` for `cases: int`, `--plan`
for `plan: bool`.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import benchmarks
from napari_mmseg.doctor import machine
from napari_mmseg.errors import MmsegError


def available() -> list[str]:
    """Names of the benchmarks: their modules', with hyphens."""
    names = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))


def module_of(name: str) -> ModuleType:
    """The module of a benchmark (one of them, `import`, cannot be imported by a statement)."""
    return import_module(f"benchmarks.{name.replace('-', '_')}")


def parameters_of(name: str) -> dict[str, type]:
    """Names and types of what a benchmark's `run` takes: plain ones, with or without None."""
    run_it = module_of(name).run
    hints = get_type_hints(run_it)
    found: dict[str, type] = {}
    for parameter in inspect.signature(run_it).parameters:
        kinds = [kind for kind in get_args(hints[parameter]) if kind is not type(None)]
        kind = kinds[0] if kinds else hints[parameter]
        if kind in (int, float, str, bool, Path):
            found[parameter] = kind
    return found


def run(name: str, /, **options: Any) -> dict[str, Any]:
    """The result of a benchmark, with the machine that it was measured on."""
    with contextlib.redirect_stdout(sys.stderr):
        result = dict(module_of(name).run(**options))
    return {**result, "machine": {**machine(), **result.get("machine", {})}}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=available(), metavar="NAME", help=", ".join(available()))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = sys.argv[1:] if arguments is None else arguments
    named, rest = parser.parse_known_args(given)
    taken = argparse.ArgumentParser(prog=f"python -m benchmarks {named.name}")
    for name, kind in parameters_of(named.name).items():
        flag = f"--{name.replace('_', '-')}"
        if kind is bool:
            taken.add_argument(flag, action="store_true", default=None)
        else:
            taken.add_argument(flag, type=kind, default=None)
    chosen = vars(taken.parse_args(rest))
    more = {name: value for name, value in chosen.items() if value is not None}
    try:
        result = run(named.name, **more)
    except MmsegError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if named.json:
        print(json.dumps(result, indent=2, allow_nan=False))
    else:
        rows = list(_rows(result))
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            print(f"{name.ljust(width)}  {value}")
    return 0


def _rows(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """A row a value; a mapping of plain values is one row, mappings of mappings go deeper."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and any(isinstance(v, Mapping) for v in value.values()):
            yield from _rows(value, f"{name}.")
        elif isinstance(value, Mapping):
            yield name, ", ".join(f"{k} {_plain(v)}" for k, v in value.items()) or "none"
        else:
            yield name, _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
