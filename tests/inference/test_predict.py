"""From a case to an annotation with a tiny untrained network."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stand_ins import FakeEngine, first_channel_thrice, head, make_case

from napari_mmseg.errors import Cancelled, InputError, ModelError
from napari_mmseg.inference import Progress, engine, predict, segment
from napari_mmseg.inference.engine import EngineFailure, OutOfMemory

NAMES = ("T1", "T1ce", "T2", "FLAIR")
SUBSETS = [s for n in range(1, 5) for s in combinations(NAMES, n)]


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_every_subset_of_modalities(subset: tuple[str, ...], tiny_model: Path) -> None:
    prediction = predict(make_case(subset), model=tiny_model, device="cpu")
    assert prediction.modalities == subset
    assert set(prediction.missing) == set(NAMES) - set(subset)
    unreliable = [w for w in prediction.warnings if w.startswith("ET is unreliable")]
    assert len(unreliable) == ("T1ce" not in subset)
    annotation = prediction.annotation()
    assert annotation.provenance.warnings == prediction.warnings
    assert annotation.provenance.missing == prediction.missing
    assert annotation.codes.any()


def test_a_missing_modality_is_a_zero_channel(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    fake = FakeEngine(lambda x: (seen.append(x), first_channel_thrice(x))[1])
    use(monkeypatch, ("fake", fake))
    predict(make_case(("T1", "T2")), model=tiny_model)
    t1, t1ce, t2, flair = seen[0]
    assert t1.any()
    assert t2.any()
    assert not t1ce.any()
    assert not flair.any()


def test_segment_is_the_annotation_of_predict(tiny_model: Path) -> None:
    case = make_case()
    annotation = segment(case, model=tiny_model, device="cpu")
    prediction = predict(case, model=tiny_model, device="cpu")
    np.testing.assert_array_equal(annotation.codes, prediction.annotation().codes)
    assert annotation.author == "model:tiny"
    assert annotation.grid == case.grid
    assert annotation.source == case.source
    how = annotation.provenance
    assert how.model == "tiny"
    assert how.weights_sha256 == prediction.weights_sha256
    assert how.device == "cpu"
    assert how.engine in ("openvino fp32", "openvino bf16")
    assert dict(how.inputs) == {name: f"{i:064d}" for i, name in enumerate(NAMES)}
    assert how.thresholds == {"WT": 0.5, "TC": 0.5, "ET": 0.5}
    assert set(prediction.seconds) == {"prepare", "predict", "label"}


def test_thresholds_replace_the_models_own(tiny_model: Path) -> None:
    case = make_case()
    loose = segment(case, model=tiny_model, device="cpu", thresholds={"WT": 0.1})
    strict = segment(case, model=tiny_model, device="cpu", thresholds={"WT": 0.9})
    assert loose.volumes_ml["WT"] > strict.volumes_ml["WT"]
    assert strict.provenance.thresholds == {"WT": 0.9, "TC": 0.5, "ET": 0.5}
    with pytest.raises(InputError, match="no region 'lesion': it has WT, TC, ET"):
        segment(case, model=tiny_model, thresholds={"lesion": 0.5})
    with pytest.raises(InputError, match=r"threshold of WT is 1\.5"):
        segment(case, model=tiny_model, thresholds={"WT": 1.5})


def test_progress_moves_forward_through_the_stages(tiny_model: Path) -> None:
    told: list[Progress] = []
    predict(make_case(), model=tiny_model, device="cpu", progress=told.append)
    stages = list(dict.fromkeys(p.stage for p in told))
    assert stages == ["prepare", "predict", "label", "done"]
    fractions = [p.fraction for p in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0


def test_cancelled_before_it_begins(tiny_model: Path) -> None:
    with pytest.raises(Cancelled):
        predict(make_case(), model=tiny_model, device="cpu", cancelled=lambda: True)


def test_cancel_during_the_pass_takes_less_than_a_second(tiny_model: Path) -> None:
    # A head that keeps this network busy for many seconds in one pass.
    case = make_case(arrays=dict.fromkeys(NAMES, head((144, 160, 144))))
    wanted = threading.Event()
    running = threading.Event()
    asked_at: list[float] = []

    def tell(progress: Progress) -> None:
        if progress.stage == "predict" and not running.is_set():
            running.set()
            threading.Timer(0.3, stop).start()

    def stop() -> None:
        asked_at.append(time.perf_counter())
        wanted.set()

    with pytest.raises(Cancelled):
        predict(case, model=tiny_model, device="cpu", progress=tell, cancelled=wanted.is_set)
    assert time.perf_counter() - asked_at[0] < 1.0
    for thread in threading.enumerate():  # let the abandoned pass end before the next test
        if thread.name == "mmseg-abandoned-pass":
            thread.join(20)


def test_memory_runs_out_on_the_card_then_tiles(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(arrays={n: head((100, 90, 80), i) for i, n in enumerate(NAMES)})

    def small_card(channels: Any) -> Any:
        if channels[0].size > 300_000:
            raise OutOfMemory("memory ran out")
        return first_channel_thrice(channels)

    card = FakeEngine(small_card)
    whole = FakeEngine(first_channel_thrice)
    use(monkeypatch, ("the graphics card", card))
    in_tiles = predict(case, model=tiny_model)
    use(monkeypatch, ("the graphics card", whole))
    at_once = predict(case, model=tiny_model)
    assert in_tiles.device == "cuda"
    assert any("the graphics card is too small for one pass" in w for w in in_tiles.warnings)
    assert not at_once.warnings
    assert len(card.passes) > 2
    difference = in_tiles.probabilities.astype(int) - at_once.probabilities
    assert np.abs(difference).max() <= 1  # 255ths: the same answer in other sums
    assert card.closed


def test_no_tile_fits_then_the_processor(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_channels: Any) -> Any:
        raise OutOfMemory("memory ran out")

    card = FakeEngine(never)
    processor = FakeEngine(first_channel_thrice, device="cpu")
    use(monkeypatch, ("the graphics card", card), ("the processor", processor))
    prediction = predict(make_case(), model=tiny_model)
    assert prediction.device == "cpu"
    assert any("the processor was used instead" in w for w in prediction.warnings)
    assert prediction.annotation().provenance.warnings == prediction.warnings
    assert card.closed


def test_a_failing_driver_is_told_and_the_processor_used(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_channels: Any) -> Any:
        raise EngineFailure("no kernel image is available")

    use(
        monkeypatch,
        ("the graphics card", FakeEngine(broken)),
        ("the processor", FakeEngine(first_channel_thrice, device="cpu")),
    )
    prediction = predict(make_case(), model=tiny_model)
    assert prediction.device == "cpu"
    assert any("no kernel image is available" in w for w in prediction.warnings)


def test_nothing_can_run_it(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_channels: Any) -> Any:
        raise OutOfMemory("memory ran out")

    use(monkeypatch, ("the processor", FakeEngine(never, device="cpu")))
    with pytest.raises(ModelError, match="could not run on the processor: memory ran out"):
        predict(make_case(), model=tiny_model)


def test_no_socket_is_opened(tiny_model: Path) -> None:
    """In a process of its own, without the variable that turns telemetry off in tests."""
    program = f"""
import os, socket, sys, time
def refuse(*_, **__):
    # Said on stdout: whoever asks from a forked process or a thread may swallow an error.
    os.write(1, b"a socket was opened ")
    raise OSError("no network here")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = refuse
socket.getaddrinfo = refuse
sys.path.insert(0, {str(Path(__file__).parent)!r})
from stand_ins import make_case
from napari_mmseg.inference import predict
prediction = predict(make_case(), model={str(tiny_model)!r}, device="cpu")
loaded = [name for name in ("torch", "SimpleITK", "napari", "qtpy") if name in sys.modules]
assert not loaded, loaded
time.sleep(1)
print(prediction.annotation().codes.any())
"""
    environment = {k: v for k, v in os.environ.items() if k != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"


def test_cuda_is_refused_where_there_is_none(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "has_cuda", lambda: False)
    with pytest.raises(InputError, match="no CUDA graphics card"):
        predict(make_case(), model=tiny_model, device="cuda")
    with pytest.raises(InputError, match="no device 'gpu': choose one of auto, cpu, cuda"):
        predict(make_case(), model=tiny_model, device="gpu")


def use(monkeypatch: pytest.MonkeyPatch, *makers: tuple[str, FakeEngine]) -> None:
    """Let these engines be what the machine has."""
    choices = [(place, lambda _card, e=fake: e) for place, fake in makers]
    monkeypatch.setattr(engine, "candidates", lambda _device: choices)
