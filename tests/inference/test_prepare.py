"""What the network is given, and the way back to the case's grid."""

from __future__ import annotations

import shutil
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stand_ins import IPL_AFFINE, change_card, head, make_case

from napari_mmseg.errors import InputError
from napari_mmseg.inference.prepare import bounding_box, prepare
from napari_mmseg.inference.progress import Watch
from napari_mmseg.models import Card, read_card

WATCH = Watch()


def test_the_input_is_the_brain_box_padded_to_the_stride(tiny_card: Card) -> None:
    case = make_case()
    prepared = prepare(case, tiny_card, WATCH)
    assert prepared.channels.shape == (4, 20, 24, 20)  # box 18 x 22 x 17, stride 4
    assert prepared.box == (slice(2, 20), slice(2, 24), slice(2, 19))
    assert prepared.channels.dtype == np.float32
    for number, volume in enumerate(case.volumes.values()):
        channel = prepared.channels[number]
        inside = volume.array[prepared.box] != 0
        # A robust z-score: as the image inside, zero outside, no contrast turned around.
        ranks = np.corrcoef(channel[prepared.interior][inside], volume.array[prepared.box][inside])
        assert ranks[0, 1] > 0.98
        assert abs(np.median(channel[prepared.interior][inside])) < 0.05
        outside = np.ones(channel.shape, dtype=bool)
        outside[prepared.interior] = ~inside
        assert not channel[outside].any()


def test_there_and_back_is_the_identity(tiny_card: Card) -> None:
    prepared = prepare(make_case(), tiny_card, WATCH)
    values = np.random.default_rng(0).random((3, *prepared.channels.shape[1:]), dtype=np.float32)
    back, box = prepared.restore(values)
    assert box == prepared.box
    expected = np.round(values[(slice(None), *prepared.interior)] * 255)
    assert np.abs(back.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("axes", list(permutations(range(3))))
def test_other_orientations_are_turned_and_turned_back(
    axes: tuple[int, int, int], tiny_card: Card
) -> None:
    """A case that is not in the network's orientation gives the same voxels in the same places."""
    upright = make_case(("T1",))
    wanted = prepare(upright, tiny_card, WATCH)
    for signs in product((1, -1), repeat=3):
        steps = tuple(slice(None, None, sign) for sign in signs)
        array = upright.volumes["T1"].array.transpose(axes)[steps]
        matrix = np.zeros((4, 4))
        for new, (old, sign) in enumerate(zip(axes, signs, strict=True)):
            matrix[old, new] = sign
            matrix[old, 3] = upright.grid.shape[old] - 1 if sign < 0 else 0
        matrix[3, 3] = 1
        case = make_case(("T1",), {"T1": array}, affine=IPL_AFFINE @ matrix)
        prepared = prepare(case, tiny_card, WATCH)
        np.testing.assert_allclose(prepared.channels, wanted.channels, atol=1e-5)
        back, box = prepared.restore(1.0 * (prepared.channels[:1] > 0.5))
        turned, turned_box = wanted.restore(1.0 * (wanted.channels[:1] > 0.5))
        whole = np.zeros(upright.grid.shape, dtype=bool)
        whole[turned_box] = turned[0] > 127
        expected = whole.transpose(axes)[steps]
        found = np.zeros(array.shape, dtype=bool)
        found[box] = back[0] > 127
        np.testing.assert_array_equal(found, expected)


def test_thick_slices_are_resampled_and_brought_back(tiny_card: Card) -> None:
    affine = IPL_AFFINE @ np.diag([3.0, 0.5, 0.5, 1.0])
    arrays = {name: head((12, 60, 56), i) for i, name in enumerate(("T1", "FLAIR"))}
    case = make_case(("T1", "FLAIR"), arrays, affine)
    prepared = prepare(case, tiny_card, WATCH)
    size = [s.stop - s.start for s in prepared.interior]
    assert size == [24, 28, 26]  # the box of 8 x 56 x 52 voxels at 1 mm
    assert any("resampled to 1 mm" in w and "3 x 0.5 x 0.5 mm" in w for w in prepared.warnings)
    values = np.zeros((1, *prepared.channels.shape[1:]), dtype=np.float32)
    inside = tuple(slice(s.start + 4, s.stop - 4) for s in prepared.interior)
    values[(0, *inside)] = 1.0
    back, box = prepared.restore(values)
    assert back.shape[1:] == tuple(s.stop - s.start for s in box) == (8, 56, 52)
    ml = (back[0] >= 128).sum() * case.grid.voxel_volume_ml
    assert ml == pytest.approx(values.sum() / 1000, rel=0.2)


def test_voxels_of_nearly_one_millimetre_are_left_alone(tiny_card: Card) -> None:
    case = make_case(affine=IPL_AFFINE @ np.diag([1.05, 0.94, 0.94, 1.0]))
    prepared = prepare(case, tiny_card, WATCH)
    assert [s.stop - s.start for s in prepared.interior] == [18, 22, 17]
    assert not prepared.warnings


def test_a_background_that_is_not_zero(tiny_card: Card) -> None:
    """Images already z-scored, with a constant negative value outside the brain."""
    plain = {n: head(seed=i).astype(np.float32) for i, n in enumerate(("T1", "T2"))}
    scored = {
        n: np.where(a == 0, -3.5, (a - 400) / 130).astype(np.float32) for n, a in plain.items()
    }
    expected = prepare(make_case(("T1", "T2"), plain), tiny_card, WATCH)
    found = prepare(make_case(("T1", "T2"), scored), tiny_card, WATCH)
    assert found.box == expected.box
    np.testing.assert_allclose(found.channels, expected.channels, atol=1e-3)


def test_a_constant_image_counts_as_missing_and_is_said(tiny_card: Card) -> None:
    case = make_case(("T1", "T2"), {"T2": np.full((22, 26, 21), 7, np.int16)})
    prepared = prepare(case, tiny_card, WATCH)
    assert prepared.used == ("T1",)
    assert prepared.missing == ("T1ce", "T2", "FLAIR")
    assert any(w.startswith("T2 is the same everywhere") for w in prepared.warnings)


@pytest.mark.parametrize("value", [0, 7, -3])
def test_no_brain_is_refused(value: int, tiny_card: Card) -> None:
    case = make_case(("T1",), {"T1": np.full((22, 26, 21), value, np.int16)})
    with pytest.raises(InputError, match="no brain was found in phantom"):
        prepare(case, tiny_card, WATCH)


def test_an_image_with_its_skull_is_said(tiny_card: Card) -> None:
    noisy = np.random.default_rng(0).integers(1, 90, (30, 30, 30)).astype(np.int16)
    case = make_case(("T1",), {"T1": noisy}, IPL_AFFINE @ np.diag([5.0, 5.0, 5.0, 1.0]))
    prepared = prepare(case, tiny_card, WATCH)
    assert any("the skull" in w and "3.4 litres" in w for w in prepared.warnings)


def test_voxels_that_are_no_numbers(tiny_card: Card) -> None:
    array = head().astype(np.float32)
    array[10, 10, 10] = np.nan
    array[11, 10, 10] = np.inf
    prepared = prepare(make_case(("T1",), {"T1": array}), tiny_card, WATCH)
    assert np.isfinite(prepared.channels).all()
    assert any("no numbers" in w for w in prepared.warnings)


def test_none_of_the_models_images(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "flair_only"
    folder.mkdir()
    for file in tiny_model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    network = {"kind": "unet", "base": 4, "levels": 3, "in": 1, "out": 3}
    change_card(folder, channels=["FLAIR"], network=network)
    with pytest.raises(InputError, match=r"none of the images that the model tiny takes \(FLAIR\)"):
        prepare(make_case(("T1",)), read_card(folder), WATCH)


def test_bounding_box() -> None:
    mask = np.zeros((5, 6, 7), dtype=bool)
    assert bounding_box(mask) is None
    mask[1, 2, 3] = mask[3, 2, 6] = True
    assert bounding_box(mask) == (slice(1, 4), slice(2, 3), slice(3, 7))


def test_a_window_shows_the_background_around_the_brain(tiny_model: Path, tmp_path: Path) -> None:
    case = make_case()
    card = _with(tiny_model, tmp_path, window=[48, 24, 32])
    prepared = prepare(case, card, WATCH)
    assert prepared.channels.shape == (4, 48, 24, 32)
    # The image fits the first and last sides and is taken whole, in the middle; it is longer than
    # the second, so the window lies around the brain there.
    assert prepared.box[0] == slice(0, 22)
    assert prepared.interior[0] == slice(13, 35)
    assert prepared.box[1] == slice(1, 25)
    assert prepared.box[2] == slice(0, 21)
    whole = prepare(case, read_card(tiny_model), WATCH)
    np.testing.assert_array_equal(
        prepared.channels[(slice(None), *prepared.interior)][:, 2:20, 1:23, 2:19],
        whole.channels[(slice(None), *whole.interior)],
    )


def test_a_window_smaller_than_the_brain_changes_nothing(tiny_model: Path, tmp_path: Path) -> None:
    case = make_case()
    found = prepare(case, _with(tiny_model, tmp_path, window=[8, 8, 8]), WATCH)
    whole = prepare(case, read_card(tiny_model), WATCH)
    np.testing.assert_array_equal(found.channels, whole.channels)
    assert found.box == whole.box


def test_a_window_is_in_the_networks_voxels(tiny_model: Path, tmp_path: Path) -> None:
    card = _with(tiny_model, tmp_path, window=[32, 32, 32], spacing_mm=2.0)
    prepared = prepare(make_case(shape=(90, 40, 40)), card, WATCH)
    assert prepared.channels.shape[1] == -(-43 // card.stride) * card.stride  # the brain: 86 mm
    assert prepared.channels.shape[2:] == (32, 32)
    assert prepared.box[1] == slice(0, 40)


def test_a_model_of_one_shape_sees_every_brain_stretched_to_it(
    tiny_model: Path, tmp_path: Path
) -> None:
    card = _with(tiny_model, tmp_path, resize=[32, 16, 24], normalisation="minmax")
    prepared = prepare(make_case(), card, WATCH)
    assert prepared.channels.shape == (4, 32, 16, 24)
    assert (prepared.channels.min(), prepared.channels.max()) == (0.0, 1.0)
    probabilities, box = prepared.restore(prepared.channels[:3])
    assert probabilities.shape[1:] == tuple(side.stop - side.start for side in box)


def test_the_card_says_how_to_normalise(tiny_model: Path, tmp_path: Path) -> None:
    prepared = prepare(
        make_case(), _with(tiny_model, tmp_path, normalisation="zscore-nonzero"), Watch()
    )
    for channel in prepared.channels:
        assert channel[channel != 0].mean() == pytest.approx(0.0, abs=1e-3)
        assert channel[channel != 0].std() == pytest.approx(1.0, abs=1e-3)


def _with(model: Path, folder: Path, **changes: Any) -> Card:
    shutil.copytree(model, folder / "changed")
    change_card(folder / "changed", **changes)
    return read_card(folder / "changed")
