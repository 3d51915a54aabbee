"""Plain values out of JSON and TOML that a stranger wrote: each checked, none evaluated."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import ModelError

#: A description longer than this describes no model (bytes).
_MOST_BYTES = 5 * 2**20

#: What MONAI's configurations begin code and references with.
_CODE = ("$", "@", "%")

_MISSING = object()


class Fields:
    """One table of a description, and the words to refuse it with."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = values
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> list[str]:
        return list(self._values)

    def text(self, key: str, default: Any = _MISSING) -> str:
        return str(self._plain(key, default, (str,), "a text"))

    def number(self, key: str, default: Any = _MISSING) -> float:
        return float(self._plain(key, default, (int, float), "a number"))

    def whole(self, key: str, default: Any = _MISSING, *, least: int = 1, most: int) -> int:
        value: int = self._plain(key, default, (int,), "a whole number")
        if not least <= value <= most:
            raise ModelError(
                f"{key} in {self.where} is {value}: it lies between {least} and {most}"
            )
        return value

    def flag(self, key: str, default: bool) -> bool:
        return bool(self._plain(key, default, (bool,), "true or false"))

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._plain(key, _MISSING, (list,), "a list of texts")
        if not values or not all(isinstance(value, str) for value in values):
            raise ModelError(f"{key} in {self.where} is not a list of texts: correct that file")
        return tuple(values)

    def wholes(self, key: str, default: Any = _MISSING, *, most: int) -> tuple[int, ...]:
        values = self._plain(key, default, (list, tuple), "a list of whole numbers")
        good = all(type(value) is int and 1 <= value <= most for value in values)
        if not values or not good:
            raise ModelError(
                f"{key} in {self.where} is not a list of whole numbers from 1 to {most}: "
                "correct that file"
            )
        return tuple(values)

    def numbers(self, key: str) -> tuple[float, ...]:
        values = self._plain(key, _MISSING, (list,), "a list of numbers")
        if not values or not all(type(value) in (int, float) for value in values):
            raise ModelError(f"{key} in {self.where} is not a list of numbers: correct that file")
        return tuple(float(value) for value in values)

    def table(self, key: str) -> Fields:
        values = self._plain(key, _MISSING, (dict,), "a table")
        return Fields(values, f"{key} in {self.where}")

    def tables(self, key: str) -> list[Fields]:
        values = self._plain(key, _MISSING, (list,), "a list")
        if not all(isinstance(value, dict) for value in values):
            raise ModelError(
                f"{key} in {self.where} holds something else than tables, perhaps code, and "
                "nothing from a downloaded model is executed here: write it out there"
            )
        return [Fields(value, f"{key} in {self.where}") for value in values]

    def _plain(self, key: str, default: Any, kinds: Sequence[type], wanted: str) -> Any:
        value = self._values.get(key, default)
        if value is _MISSING:
            raise ModelError(f"{self.where} lacks {key}: add it, or download the model again")
        if isinstance(value, str) and value.startswith(_CODE):
            raise ModelError(
                f"{key} in {self.where} is code or a reference ({value!r}), and nothing from a "
                "downloaded model is executed here: write its value there"
            )
        if not isinstance(value, tuple(kinds)) or (isinstance(value, bool) and bool not in kinds):
            raise ModelError(f"{key} in {self.where} is not {wanted}: correct that file")
        return value


def read_fields(path: Path) -> Fields:
    """The table in a JSON or TOML file.

    Raises
    ------
    ModelError
        When it is missing, unreadable or no table.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ModelError(f"{path.name} is too long to describe a model: it is refused")
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except FileNotFoundError:
        raise ModelError(
            f"{path.name} is missing in {path.parent}: download the model again"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path.name} holds no table of fields: download the model again")
    return Fields(values, path.name)
