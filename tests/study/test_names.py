"""Pseudonyms stay within their folder, on every system."""

from __future__ import annotations

import pytest

from napari_mmseg.errors import InputError
from napari_mmseg.study.names import checked_name, is_item_name, item_name


@pytest.mark.parametrize("name", ["a", "R1", "rater-2", "x_y", "0", "com10", "console"])
def test_letters_digits_and_dashes_are_names(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "a:b",
        "a b",
        "é",
        "-a",
        "_a",
        "a.b",
        "a\n",
        "x" * 33,
    ],
)
def test_what_could_leave_its_folder_is_refused(name):
    with pytest.raises(InputError, match="letters, digits"):
        checked_name(name)


@pytest.mark.parametrize("name", ["con", "NUL", "Aux", "COM1", "lpt9"])
def test_names_that_windows_reserves_are_refused(name):
    with pytest.raises(InputError, match="Windows"):
        checked_name(name)


def test_an_item_says_nothing_and_is_the_same_every_time():
    names = {
        item_name(seed, rater, case, repeat)
        for seed in (1, 2)
        for rater in ("ann", "bob")
        for case in ("case-001", "case-002")
        for repeat in (0, 1)
    }
    assert len(names) == 16
    assert all(is_item_name(name) for name in names)
    # Pinned: an item that changed its name would be lost with its work file.
    assert item_name(1, "ann", "case-001", 0) == "lvuncwyw"
