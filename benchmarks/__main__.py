"""Run one benchmark and print its result: `python -m benchmarks NAME [--json]`."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

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


def run(name: str, **options: Any) -> dict[str, Any]:
    """The result of a benchmark, with the machine that it was measured on."""
    with contextlib.redirect_stdout(sys.stderr):
        result = dict(module_of(name).run(**options))
    return {**result, "machine": {**machine(), **result.get("machine", {})}}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=available(), metavar="NAME", help=", ".join(available()))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--n", type=int, help="how often, for benchmarks that repeat something")
    options = parser.parse_args(arguments)
    more = {} if options.n is None else {"n": options.n}
    if more and "n" not in inspect.signature(module_of(options.name).run).parameters:
        parser.error(f"{options.name} takes no --n")
    try:
        result = run(options.name, **more)
    except MmsegError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if options.json:
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
