"""Work beside the window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from napari_mmseg._napari.task import Task
from napari_mmseg.errors import Cancelled, InputError


def test_a_result_arrives_in_the_windows_thread(qtbot: QtBot) -> None:
    seen: list[object] = []
    task = Task(lambda report, cancelled: (report("half", 0.5), threading.get_ident())[1])
    task.progressed.connect(lambda *news: seen.append((news, threading.get_ident())))
    with qtbot.waitSignal(task.finished, timeout=3000) as done:
        task.start()
    assert done.args[0] != threading.get_ident()
    assert seen == [(("half", 0.5), threading.get_ident())]
    assert not task.is_running


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("the folder holds no image"), "the folder holds no image"),
        (MemoryError(), "memory"),
        (ValueError("/home/somebody/patient"), "an unexpected error stopped this: ValueError"),
    ],
)
def test_errors_become_one_sentence(qtbot: QtBot, error: Exception, said: str) -> None:
    def fail(report: Callable[..., None], cancelled: Callable[[], bool]) -> None:
        raise error

    task = Task(fail)
    with qtbot.waitSignal(task.failed, timeout=3000) as failed:
        task.start()
    assert said in failed.args[0]
    assert "somebody" not in failed.args[0]


def test_cancelling_is_at_once_and_the_result_is_dropped(qtbot: QtBot) -> None:
    release = threading.Event()

    def work(report: Callable[..., None], cancelled: Callable[[], bool]) -> str:
        release.wait(5)
        return "too late"

    task = Task(work).start()
    finished: list[object] = []
    task.finished.connect(finished.append)
    begin = time.perf_counter()
    with qtbot.waitSignal(task.stopped, timeout=1000):
        task.cancel()
    assert time.perf_counter() - begin < 0.2
    release.set()
    assert task.wait(3)
    qtbot.wait(50)
    assert finished == []


def test_work_that_stops_itself_is_told(qtbot: QtBot) -> None:
    def work(report: Callable[..., None], cancelled: Callable[[], bool]) -> None:
        raise Cancelled("stopped")

    task = Task(work)
    with qtbot.waitSignal(task.stopped, timeout=3000):
        task.start()
