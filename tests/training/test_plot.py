"""The page of a training: it is the log, drawn."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from napari_mmseg.training.plot import read_log, running_mean, write_page


def write_log(path: Path, steps: list[int]) -> Path:
    lines = [
        json.dumps({"step": s, "loss": 2.0 / s, "lr": 1e-3, "step_seconds": 1.0, "minutes": s / 60})
        for s in steps
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_steps_repeated_after_a_kill_count_once(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", [1, 2, 3, 4, 3, 4, 5])
    with log.open("a") as file:
        file.write('{"step": 6, "lo')
    assert [record.step for record in read_log(log)] == [1, 2, 3, 4, 5]


def test_the_page_is_one_file_that_says_where_the_run_is(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", list(range(1, 61)))
    text = write_page(log, tmp_path / "loss.html", "a <run>", 100).read_text()
    assert "step 60 of 100" in text
    assert "a &lt;run&gt;" in text
    assert "http://" not in text
    assert "https://" not in text
    svg = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    lines = svg.findall("polyline")
    assert len(lines) == 3
    places = [tuple(map(float, point.split(","))) for point in lines[1].attrib["points"].split()]
    assert len(places) == 60
    # Falling losses go down the page, steps to the right, and all stays on it.
    assert places[-1][1] > places[5][1]
    assert places[-1][0] > places[0][0]
    assert all(0 <= x <= 860 and 0 <= y <= 380 for x, y in places)


def test_a_page_before_the_first_step(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", [])
    assert "no step" in write_page(log, tmp_path / "loss.html", "run", 10).read_text()


def test_the_running_mean() -> None:
    assert running_mean([1, 2, 3, 4], 2) == [1.0, 1.5, 2.5, 3.5]
