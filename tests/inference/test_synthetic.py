"""Missing contrasts made for looking at: on the case's grid, and only where they can be made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stand_ins import make_case

from napari_mmseg.errors import ModelError
from napari_mmseg.inference.synthetic import synthetic_contrasts
from napari_mmseg.models.networks.cmft import Transition, save_transition
from napari_mmseg.preprocess.normalise import brain_mask, normalise


@pytest.fixture(scope="module")
def generators(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("run") / "generators.safetensors"
    save_transition(Transition(base=2, levels=2), path)
    return path


def doubling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generators that only double: where a contrast comes from can be seen."""
    from napari_mmseg.models.networks.cmft import Generator

    monkeypatch.setattr(Generator, "forward", lambda _, pair: 2 * pair)


def test_a_missing_contrast_comes_back_on_the_cases_grid(
    generators: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubling(monkeypatch)
    case = make_case(("T1", "T1ce", "T2"))
    images = synthetic_contrasts(case, generators)
    assert list(images) == ["FLAIR"]
    arrays = [volume.array for volume in case.volumes.values()]
    mask = brain_mask(arrays)
    expected = 2 * normalise(case.volumes["T1ce"].array, mask)  # type: ignore[index]
    assert images["FLAIR"].shape == case.grid.shape  # type: ignore[index]
    np.testing.assert_allclose(images["FLAIR"], expected, atol=1e-4)  # type: ignore[index]


def test_a_whole_missing_pair_is_made_and_is_zero_outside_the_brain(generators: Path) -> None:
    case = make_case(("T2", "FLAIR"))
    images = synthetic_contrasts(case, generators)
    assert list(images) == ["T1", "T1ce"]
    outside = ~brain_mask([volume.array for volume in case.volumes.values()])
    for array in images.values():
        assert array.any()
        assert np.isfinite(array).all()
        assert not array[outside].any()


@pytest.mark.parametrize(
    ("there", "reason"),
    [(("T1", "T1ce", "T2", "FLAIR"), "nothing to make"), (("T1", "T2"), "not complete")],
)
def test_what_cannot_be_made_is_refused(
    generators: Path, there: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ModelError, match=reason):
        synthetic_contrasts(make_case(there), generators)


def test_without_generators_the_message_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no file"):
        synthetic_contrasts(make_case(("T2", "FLAIR")), tmp_path / "none.safetensors")
