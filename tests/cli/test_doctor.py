"""`napari-mmseg doctor` and what it finds."""

from __future__ import annotations

import subprocess

import pytest

from napari_mmseg import doctor
from napari_mmseg.errors import ModelError


@pytest.fixture
def no_qt_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking another interpreter about Qt takes a second; most tests need no answer."""
    answer = subprocess.CompletedProcess([], 0, stdout="PyQt6 6.0\n", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)


@pytest.mark.usefixtures("no_qt_process")
def test_json_names_versions_and_what_is_missing(run, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    report = run("doctor", "--json").json
    findings = {finding["name"]: finding for finding in report["findings"]}
    assert {"Python", "napari", "Qt", "OpenVINO", "torch", "memory", "cache"} <= set(findings)
    assert findings["OpenVINO"]["value"][0].isdigit()
    assert report["machine"]["cores"] >= 1
    assert report["missing"] == {
        name: finding["remedy"] for name, finding in findings.items() if not finding["ok"]
    }
    assert report["ok"] == (not report["missing"])
    assert all(report["missing"].values())


@pytest.mark.usefixtures("no_qt_process")
def test_readable_output_ends_with_the_remedies(run, monkeypatch, tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_bytes(b"")
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(blocked / "cache"))
    outcome = run("doctor")
    assert outcome.code == 0
    assert "cannot be written" in outcome.out
    assert "cache: set NAPARI_MMSEG_CACHE" in outcome.out


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("ImportError: libEGL.so.1: cannot open shared object file: No such file", "libegl1"),
        ("qtpy.QtBindingsNotFoundError: No Qt bindings could be found", "[qt]"),
        ("", "[qt]"),
    ],
)
def test_a_broken_qt_comes_with_its_remedy(monkeypatch, message, remedy):
    broken = subprocess.CompletedProcess([], 1, stdout="", stderr=f"Traceback\n{message}\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: broken)
    qt = next(finding for finding in doctor._viewer() if finding.name == "Qt")
    assert not qt.ok
    assert remedy in qt.remedy


def test_a_hanging_qt_is_said(monkeypatch):
    def hang(*_, **__):
        raise subprocess.TimeoutExpired("python", 60)

    monkeypatch.setattr(subprocess, "run", hang)
    assert "does not answer" in [f.value for f in doctor._viewer() if f.name == "Qt"]


def test_a_model_whose_file_has_changed_is_found(monkeypatch):
    class Damaged:
        name = "mine"
        version = "1"
        files = {"mine.xml": "0" * 64}  # noqa: RUF012

        def read_verified(self, suffix):
            raise ModelError(f"{suffix} is truncated")

    finding = doctor._model(Damaged())
    assert (finding.name, finding.ok) == ("model mine", False)
    assert "truncated" in finding.value


def test_low_memory_is_said(monkeypatch):
    import psutil

    class Memory:
        total, available = 8 * 10**9, 10**9

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory)
    memory = next(finding for finding in doctor._processor() if finding.name == "memory")
    assert not memory.ok
    assert "tiles" in memory.remedy


def test_the_processor_has_a_name():
    assert doctor.processor_name()
