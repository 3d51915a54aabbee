"""NRRD and MHA: one turn from LPS to RAS, and damaged files refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from napari_mmseg.errors import InputError
from napari_mmseg.grid import Grid
from napari_mmseg.io import open_case
from napari_mmseg.io.image import read_image
from napari_mmseg.io.itk import affine_of, to_itk

FORMATS = [".nrrd", ".mha"]


def _posed() -> sitk.Image:
    """An image in an oblique pose, every voxel another value; ITK's axes (x, y, z) = (5, 6, 7)."""
    image = sitk.GetImageFromArray(np.arange(210, dtype=np.int16).reshape(7, 6, 5))
    image.SetSpacing((0.5, 1.5, 3.0))
    image.SetOrigin((10.0, -20.0, 30.0))
    c, s = np.cos(0.2), np.sin(0.2)
    image.SetDirection((c, -s, 0, s, c, 0, 0, 0, -1))
    return image


@pytest.mark.parametrize("suffix", FORMATS)
def test_voxels_lie_where_itk_puts_them(tmp_path: Path, suffix: str) -> None:
    image = _posed()
    sitk.WriteImage(image, str(tmp_path / f"t1{suffix}"), useCompression=True)
    case = open_case(tmp_path / f"t1{suffix}")
    volume = case.volumes[case.reference]
    assert volume.grid.orientation == "IPL"
    assert volume.array.dtype == np.int16
    for index in np.ndindex(volume.array.shape):
        right, anterior, superior = volume.grid.to_world(np.array(index))
        at = image.TransformPhysicalPointToIndex((-right, -anterior, superior))
        assert image[at] == volume.array[index]


def test_there_and_back() -> None:
    affine = np.array([[0.5, 0.1, 0, 3], [0, 1, 0.2, 4], [0, 0, 2.0, -5], [0, 0, 0, 1]])
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    image = to_itk(array, Grid((2, 3, 4), affine))
    np.testing.assert_allclose(affine_of(image), affine, atol=1e-12)
    assert image[1, 2, 3] == array[1, 2, 3]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "content", [b"", b"<html>404</html>", b"NRRD0004\ntype: int16\n", bytes(99)]
)
def test_damaged(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"flair{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=path.name) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("packed", [True, False])
def test_flipped_bits(tmp_path: Path, suffix: str, packed: bool) -> None:
    """ITK alone gives wrong voxels for most of these."""
    path = tmp_path / f"flair{suffix}"
    sitk.WriteImage(_posed(), str(path), useCompression=packed)
    data = path.read_bytes()
    read_image(path)
    if not packed:
        path.write_bytes(data[:-1])
        with pytest.raises(InputError, match="1 bytes are missing"):
            read_image(path)
        return
    for back in range(8, 108, 7):
        damaged = bytearray(data)
        damaged[-back] ^= 16
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="copy it again"):
            read_image(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_truncated(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"flair{suffix}"
    sitk.WriteImage(_posed(), str(path), useCompression=True)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="copy it again"):
        read_image(path)


def test_a_claim_of_10_to_the_12_voxels(tmp_path: Path) -> None:
    path = tmp_path / "flair.mha"
    sitk.WriteImage(_posed(), str(path), useCompression=True)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"DimSize = 5 6 7", b"DimSize = 10000 10000 10000"))
    with pytest.raises(InputError, match="10000 x 10000 x 10000"):
        read_image(path)


def test_colours_complex_and_slices(tmp_path: Path) -> None:
    colours = sitk.GetImageFromArray(np.zeros((4, 5, 6, 3), np.uint8), isVector=True)
    sitk.WriteImage(colours, str(tmp_path / "t1.mha"))
    with pytest.raises(InputError, match="3 channels"):
        open_case(tmp_path / "t1.mha")
    flat = sitk.GetImageFromArray(np.ones((5, 6), np.int16))
    sitk.WriteImage(flat, str(tmp_path / "flat.mha"))
    with pytest.raises(InputError, match="single slice"):
        read_image(tmp_path / "flat.mha")


def test_a_nrrd_without_a_place_in_space_is_said(tmp_path: Path) -> None:
    header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n\n"
    (tmp_path / "t1.nrrd").write_bytes(header.encode() + bytes(range(24)))
    case = open_case(tmp_path / "t1.nrrd")
    assert any("says nothing about its position" in w for w in case.warnings)
    sitk.WriteImage(_posed(), str(tmp_path / "t2.nrrd"))
    assert open_case(tmp_path / "t2.nrrd").warnings == ()


def test_a_fourth_dimension_of_channels(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 99, (4, 3, 5, 6)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=False), str(tmp_path / "BRATS_1.nrrd"))
    image = read_image(tmp_path / "BRATS_1.nrrd")
    np.testing.assert_array_equal(image.channel(2), array[2].transpose(2, 1, 0))
