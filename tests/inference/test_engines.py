"""The two real engines: equal answers, clear refusals, the proof of the fast arithmetic."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from stand_ins import change_card

from napari_mmseg.errors import Cancelled, ModelError
from napari_mmseg.inference import engine
from napari_mmseg.inference.openvino import OpenVinoEngine
from napari_mmseg.inference.precision import PrecisionCheck, region_dice
from napari_mmseg.inference.torch import TorchEngine
from napari_mmseg.models import Card, read_card

#: Sums in another order move a probability by less than this.
SAME_PROBABILITY = 2e-4


def unchecked() -> None:
    """Nobody wants to stop."""


def channels(shape: tuple[int, int, int] = (24, 28, 20)) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)


@pytest.fixture
def copied(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model in a folder that may be damaged."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copied"))


def test_openvino_gives_torchs_labels(tiny_card: Card) -> None:
    given = channels()
    ours = OpenVinoEngine(tiny_card, precision="fp32").run(given, unchecked)
    reference = TorchEngine(tiny_card, device="cpu").run(given, unchecked)
    assert ours.shape == reference.shape == (3, 24, 28, 20)
    np.testing.assert_allclose(ours, reference, atol=SAME_PROBABILITY)
    clear = np.abs(reference - 0.5) > SAME_PROBABILITY
    np.testing.assert_array_equal((ours >= 0.5)[clear], (reference >= 0.5)[clear])
    assert clear.mean() > 0.99
    assert 0.05 < (reference >= 0.5).mean() < 0.95


def test_one_engine_takes_any_size(tiny_card: Card) -> None:
    fast = OpenVinoEngine(tiny_card, precision="fp32")
    reference = TorchEngine(tiny_card, device="cpu")
    for shape in ((16, 16, 16), (20, 32, 24)):
        given = channels(shape)
        np.testing.assert_allclose(
            fast.run(given, unchecked), reference.run(given, unchecked), atol=SAME_PROBABILITY
        )


def test_a_result_outlives_its_engine(tiny_card: Card) -> None:
    fast = OpenVinoEngine(tiny_card, precision="fp32")
    first = fast.run(channels(), unchecked)
    kept = first.copy()
    fast.run(np.zeros_like(channels()), unchecked)
    fast.close()
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("make", [OpenVinoEngine, lambda card: TorchEngine(card, device="cpu")])
def test_a_pass_can_be_left(make: type[OpenVinoEngine], tiny_card: Card) -> None:
    def stop() -> None:
        raise Cancelled("enough")

    busy = make(tiny_card)
    with pytest.raises(Cancelled):
        busy.run(channels((96, 96, 96)), stop)


def test_memory_decides_how_large_a_pass_may_be(
    tiny_card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_mmseg.inference.openvino.free_bytes", lambda: 10**9)
    little = OpenVinoEngine(tiny_card).largest_pass()
    monkeypatch.setattr("napari_mmseg.inference.openvino.free_bytes", lambda: 4 * 10**9)
    assert OpenVinoEngine(tiny_card).largest_pass() == pytest.approx(4 * little, rel=1e-3)


@pytest.mark.parametrize("name", ["tiny.xml", "tiny.bin"])
def test_exported_files_missing_or_truncated(name: str, copied: Path) -> None:
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=f"{name} is truncated, damaged or of another model"):
        OpenVinoEngine(read_card(copied))
    (copied / name).unlink()
    with pytest.raises(ModelError, match=f"lacks its file {name}"):
        OpenVinoEngine(read_card(copied))


def test_weights_missing_or_truncated(copied: Path) -> None:
    path = copied / "tiny.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="is truncated, damaged or of another model"):
        TorchEngine(read_card(copied), device="cpu")
    path.unlink()
    with pytest.raises(ModelError, match=r"lacks its file tiny\.safetensors"):
        TorchEngine(read_card(copied), device="cpu")


def test_files_of_another_model(copied: Path) -> None:
    """Whole and readable, of the same network, but trained otherwise: one number differs."""
    for suffix in (".bin", ".safetensors"):
        path = copied / f"tiny{suffix}"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"tiny\.bin is truncated, damaged or of another model"):
        OpenVinoEngine(read_card(copied))
    with pytest.raises(ModelError, match=r"tiny\.safetensors is truncated, damaged or of another"):
        TorchEngine(read_card(copied), device="cpu")


def test_a_card_of_another_network(copied: Path) -> None:
    """Hashes fit, but the card describes a network that the files do not hold."""
    change_card(copied, network={"kind": "unet", "base": 8, "levels": 3, "in": 4, "out": 3})
    with pytest.raises(ModelError, match="of another network than the card says"):
        TorchEngine(read_card(copied), device="cpu")
    change_card(
        copied,
        regions=["WT"],
        thresholds={"WT": 0.5},
        network={"kind": "unet", "base": 4, "levels": 3, "in": 4, "out": 1},
    )
    with pytest.raises(ModelError, match="of another network than the card says"):
        OpenVinoEngine(read_card(copied))
    change_card(copied, network={"kind": "diffusion", "base": 4, "levels": 3, "in": 4, "out": 1})
    with pytest.raises(ModelError, match="wants a network 'diffusion'"):
        TorchEngine(read_card(copied), device="cpu")


def test_files_that_are_no_model_at_all(copied: Path) -> None:
    import hashlib

    files = {}
    for name in ("tiny.xml", "tiny.bin", "tiny.safetensors"):
        (copied / name).write_bytes(b"<html>not found</html>")
        files[name] = hashlib.sha256(b"<html>not found</html>").hexdigest()
    change_card(copied, files=files)
    with pytest.raises(ModelError, match=r"tiny\.xml cannot be read by OpenVINO"):
        OpenVinoEngine(read_card(copied))
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        TorchEngine(read_card(copied), device="cpu")


def test_logits_are_squashed(copied: Path, tiny_card: Card) -> None:
    """A card that says "logits" has its output turned into probabilities."""
    change_card(copied, output="logits")
    given = channels()
    plain = OpenVinoEngine(tiny_card, precision="fp32").run(given, unchecked)
    squashed = OpenVinoEngine(read_card(copied), precision="fp32").run(given, unchecked)
    np.testing.assert_allclose(squashed, 1 / (1 + np.exp(-plain)), atol=1e-6)


def test_automatic_choice_without_a_graphics_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "has_cuda", lambda: False)
    assert [place for place, _ in engine.candidates("auto")] == ["the processor"]
    monkeypatch.setattr(engine, "has_cuda", lambda: True)
    names = [place for place, _ in engine.candidates("auto")]
    assert names == ["the graphics card", "the processor"]
    assert [place for place, _ in engine.candidates("cpu")] == ["the processor"]


@pytest.mark.parametrize(
    ("version", "built_for_cuda"),
    [
        ("from typing import Optional\ncuda: Optional[str] = None\nhip = None\n", False),
        ("cuda = None\n", False),
        ("cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", True),
    ],
)
def test_torchs_build_is_told_without_importing_it(
    version: str, built_for_cuda: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "version.py").write_text(version, encoding="utf-8")
    found = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: found)
    assert engine._has_cuda_build() is built_for_cuda
    assert "torch" not in sys.modules


class TestPrecision:
    """bf16 is used where it was seen to give the labels of fp32."""

    SHAPE = (3, 20, 20, 20)

    @pytest.fixture
    def check(self, tiny_card: Card) -> PrecisionCheck:
        return PrecisionCheck.load(tiny_card, "a processor", "openvino 1")

    def exact(self) -> NDArray[np.float32]:
        probabilities = np.zeros(self.SHAPE, dtype=np.float32)
        probabilities[0, :15] = 0.9  # 6000 voxels
        probabilities[1, :10] = 0.9  # 4000
        probabilities[2, 0, 0, :5] = 0.9  # 5: too few to judge by
        return probabilities

    def test_dice(self) -> None:
        a, b = np.zeros(10, dtype=bool), np.zeros(10, dtype=bool)
        assert region_dice(a, b) == (1.0, 0, 0)
        a[:4] = b[2:6] = True
        assert region_dice(a, b) == (0.5, 4, 4)

    def test_equal_labels_are_accepted_and_remembered(
        self, check: PrecisionCheck, tiny_card: Card
    ) -> None:
        assert check.verdict is None
        exact = self.exact()
        assert check.judge(exact + 0.001, exact).verdict is True
        again = PrecisionCheck.load(tiny_card, "a processor", "openvino 1")
        assert again.verdict is True
        for processor, library in (("another", "openvino 1"), ("a processor", "openvino 2")):
            assert PrecisionCheck.load(tiny_card, processor, library).verdict is None

    def test_a_dice_below_the_limit_is_refused_and_remembered(
        self, check: PrecisionCheck, tiny_card: Card
    ) -> None:
        exact = self.exact()
        fast = exact.copy()
        fast[0, 14, :2, :] = 0.1  # 40 of 6000 voxels: Dice 0.9967
        assert not check.accepts(fast, exact)
        assert check.judge(fast, exact).verdict is False
        assert PrecisionCheck.load(tiny_card, "a processor", "openvino 1").verdict is False

    def test_what_counts_half_may_differ_twice_as_much(
        self, check: PrecisionCheck, tiny_card: Card
    ) -> None:
        exact = self.exact()
        fast = exact.copy()
        fast[0, 14, :2, :] = 0.1  # as above: Dice 0.9967
        half = PrecisionCheck.load(replace(tiny_card, part=0.5), "a processor", "openvino 1")
        assert half.accepts(fast, exact)
        assert half.judge(fast, exact).verdict is True
        fast[0, 14, :4, :] = 0.1  # 0.9933
        assert not half.accepts(fast, exact)
        # As a model of its own it is not judged by that.
        assert PrecisionCheck.load(tiny_card, "a processor", "openvino 1").verdict is None

    def test_two_voxels_are_no_difference(self, check: PrecisionCheck) -> None:
        exact = self.exact()
        fast = exact.copy()
        fast[2, 0, 0, :2] = 0.1
        assert check.accepts(fast, exact)
        fast[2, 0, 0, :3] = 0.1
        assert not check.accepts(fast, exact)
        assert check.judge(fast, exact).verdict is True  # the large regions are equal

    def test_an_empty_case_proves_nothing(self, check: PrecisionCheck, own_cache: Path) -> None:
        nothing = np.zeros(self.SHAPE, dtype=np.float32)
        assert check.accepts(nothing, nothing)
        assert check.judge(nothing, nothing).verdict is None
        assert not list(own_cache.iterdir())

    def test_a_damaged_record_is_made_again(self, check: PrecisionCheck, tiny_card: Card) -> None:
        check.judge(self.exact(), self.exact())
        check.record.write_text("{", encoding="utf-8")
        assert PrecisionCheck.load(tiny_card, "a processor", "openvino 1").verdict is None

    def test_a_cache_that_cannot_be_written_is_no_failure(
        self, tiny_card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("not a folder", encoding="utf-8")
        monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "file" / "cache"))
        check = PrecisionCheck.load(tiny_card, "a processor", "openvino 1")
        assert check.judge(self.exact(), self.exact()).verdict is True

    def test_how_long_each_takes_is_remembered_beside_the_verdict(
        self, check: PrecisionCheck, tiny_card: Card
    ) -> None:
        def again() -> PrecisionCheck:
            return PrecisionCheck.load(tiny_card, "a processor", "openvino 1")

        assert check.wants_bf16
        assert not check.is_slower
        assert not check.timed({"bf16": 1.4, "fp32": 1.0}).wants_bf16
        assert again().is_slower
        assert again().verdict is None
        assert check.timed({"bf16": 0.5, "fp32": 1.0}).wants_bf16
        again().judge(self.exact(), self.exact())
        assert (again().verdict, again().seconds) == (True, {"bf16": 0.5, "fp32": 1.0})
        assert again().wants_bf16
        fast = self.exact()
        fast[0] = 0
        again().judge(fast, self.exact())
        assert not again().wants_bf16  # quicker, but wrong

    @pytest.mark.parametrize("seconds", ["soon", {"bf16": 1}, {"bf16": None, "fp32": 1}])
    def test_a_record_without_times_is_measured_again(
        self, check: PrecisionCheck, tiny_card: Card, seconds: object
    ) -> None:
        told = {"bf16_equals_fp32": True, "seconds": seconds}
        check.record.write_text(json.dumps(told), encoding="utf-8")
        again = PrecisionCheck.load(tiny_card, "a processor", "openvino 1")
        assert (again.verdict, again.seconds) == (True, {})

    @pytest.mark.parametrize(("bf16", "fp32", "chosen"), [(2.0, 1.0, "fp32"), (1.0, 2.0, "bf16")])
    def test_the_engine_takes_what_is_quicker(
        self,
        bf16: float,
        fp32: float,
        chosen: str,
        tiny_card: Card,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        measured = []

        def measure(engine: OpenVinoEngine, check: object) -> dict[str, float]:
            measured.append(engine)
            return {"bf16": bf16, "fp32": fp32}

        monkeypatch.setattr(OpenVinoEngine, "_seconds_by_precision", measure)
        first = OpenVinoEngine(tiny_card)
        if first.precision != "bf16":
            pytest.skip("this processor has no bf16")
        nothing = np.zeros((4, 32, 32, 32), np.float32)
        first.run(nothing, unchecked)
        first.run(nothing, unchecked)
        assert len(measured) == 1
        if chosen == "fp32":
            assert (first.precision, OpenVinoEngine(tiny_card).precision) == ("fp32", "fp32")
        later = OpenVinoEngine(tiny_card)
        later.run(nothing, unchecked)
        assert len(measured) == 1

    def test_the_engine_returns_what_was_proven(
        self, tiny_card: Card, monkeypatch: pytest.MonkeyPatch, own_cache: Path
    ) -> None:
        """Where bf16 is at hand and differs, the answer is that of fp32, now and later."""
        monkeypatch.setattr(
            OpenVinoEngine, "_seconds_by_precision", lambda *_: {"bf16": 0.5, "fp32": 1.0}
        )
        fast = OpenVinoEngine(tiny_card)
        if fast.precision != "bf16":
            pytest.skip("this processor has no bf16")
        given = channels((32, 32, 32))
        exact = OpenVinoEngine(tiny_card, precision="fp32").run(given, unchecked)
        first = fast.run(given, unchecked)
        [record] = own_cache.iterdir()
        verdict = json.loads(record.read_text(encoding="utf-8"))["bf16_equals_fp32"]
        later = OpenVinoEngine(tiny_card)
        assert later.precision == ("bf16" if verdict else "fp32")
        if not verdict:
            np.testing.assert_array_equal(first, exact)
        second = later.run(given, unchecked)
        np.testing.assert_array_equal(first, second)
