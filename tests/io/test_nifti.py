"""Files that are not what they say: refused in one sentence, before anything is allocated."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from napari_mmseg.errors import GeometryError, InputError, MmsegError
from napari_mmseg.io import open_case
from napari_mmseg.io.image import read_image

Writer = Callable[..., Path]


def _refused(path: Path, *words: str, kind: type[MmsegError] = InputError) -> str:
    with pytest.raises(kind) as caught:
        read_image(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence
    return sentence


def test_voxels_stay_in_their_own_type(tmp_path: Path, write_nifti: Writer) -> None:
    for dtype in ("int16", "uint16", "uint8", "int32", "float32"):
        path = write_nifti(tmp_path / f"{dtype}.nii.gz", dtype=dtype)
        image = read_image(path)
        assert image.raw.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(image.raw, np.asarray(nib.load(path).dataobj))


def test_scaled_values_are_those_of_nibabel(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "t1.nii.gz", slope=0.25, dtype="int16")
    volume = open_case(path).volumes["T1"]
    assert volume.array.dtype == np.float32
    expected = np.asarray(nib.load(path).dataobj)
    np.testing.assert_allclose(np.sort(volume.array, axis=None), np.sort(expected, axis=None))


def test_gzip_of_several_members_is_read_whole(tmp_path: Path, write_nifti: Writer) -> None:
    plain = write_nifti(tmp_path / "t1.nii").read_bytes()
    cut = len(plain) // 3
    path = tmp_path / "joined.nii.gz"
    path.write_bytes(gzip.compress(plain[:cut]) + gzip.compress(plain[cut:]))
    np.testing.assert_array_equal(read_image(path).raw, read_image(tmp_path / "t1.nii").raw)


def test_names_do_not_tell_whether_it_is_compressed(tmp_path: Path, write_nifti: Writer) -> None:
    packed = write_nifti(tmp_path / "a.nii.gz")
    renamed = tmp_path / "b.nii"
    renamed.write_bytes(packed.read_bytes())
    np.testing.assert_array_equal(read_image(renamed).raw, read_image(packed).raw)


def test_missing_and_empty_file(tmp_path: Path) -> None:
    _refused(tmp_path / "t1.nii.gz", "no file")
    (tmp_path / "t2.nii.gz").touch()
    _refused(tmp_path / "t2.nii.gz", "is empty")
    _refused(tmp_path / "absent", "no file")
    for name in ("folder", "folder.nii.gz"):
        (tmp_path / name).mkdir()
        _refused(tmp_path / name, "is a folder")
    (tmp_path / "t1.jpg").touch()
    _refused(tmp_path / "t1.jpg", "no known format")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.9, 0.98])
def test_truncated_gzip(tmp_path: Path, write_nifti: Writer, share: float) -> None:
    array = np.random.default_rng(0).integers(0, 1000, (12, 12, 12)).astype(np.int16)
    path = write_nifti(tmp_path / "t1.nii.gz", array)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    _refused(path, "copy it again" if share > 0.01 else "")


def test_truncated_plain_file(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "t1.nii")
    path.write_bytes(path.read_bytes()[:-7])
    _refused(path, "copy it again")


def test_flipped_bit_in_gzip(tmp_path: Path, write_nifti: Writer) -> None:
    """Deflate does not always notice; the checksum does."""
    array = np.random.default_rng(0).integers(0, 255, (16, 16, 16)).astype(np.uint8)
    path = write_nifti(tmp_path / "t1.nii.gz", array)
    stored = tmp_path / "t2.nii.gz"
    stored.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=0))
    data = bytearray(stored.read_bytes())
    data[-1000] ^= 4
    stored.write_bytes(data)
    _refused(stored, "damaged")


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><html>404</html>", b"\n <html>" + b"not found " * 100]
)
def test_web_page(tmp_path: Path, page: bytes) -> None:
    path = tmp_path / "flair.nii.gz"
    path.write_bytes(page)
    _refused(path, "web page")


def test_something_else(tmp_path: Path) -> None:
    path = tmp_path / "flair.nii"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n" + bytes(500))
    _refused(path, "not a NIfTI file")
    path.write_bytes(gzip.compress(bytes(1000)))
    _refused(path, "not a NIfTI file")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_claim_of_10_to_the_12_voxels_allocates_nothing(tmp_path: Path, suffix: str) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((10_000, 10_000, 10_000))
    header.set_data_dtype(np.uint8)
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    data = header.binaryblock + bytes(100_000)
    path = tmp_path / f"t1{suffix}"
    path.write_bytes(gzip.compress(data) if suffix == ".nii.gz" else data)
    tracemalloc.start()
    _refused(path, "10000 x 10000 x 10000", "more than its")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_colours_complex_and_slices(tmp_path: Path, write_nifti: Writer) -> None:
    rgb = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(rgb, np.eye(4)), tmp_path / "rgb.nii")
    _refused(tmp_path / "rgb.nii", "colours")
    _refused(write_nifti(tmp_path / "c.nii", np.ones((4, 4, 4), np.complex64)), "complex")
    _refused(write_nifti(tmp_path / "flat.nii", np.ones((9, 9), np.int16)), "single slice")
    _refused(write_nifti(tmp_path / "thin.nii", np.ones((9, 9, 1), np.int16)), "single slice")
    _refused(write_nifti(tmp_path / "5d.nii", np.ones((4, 4, 4, 2, 3), np.int16)), "5 dimensions")


@pytest.mark.parametrize("column", [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (np.nan, 0.0, 0.0)])
def test_impossible_affine(tmp_path: Path, write_nifti: Writer, column: tuple[float, ...]) -> None:
    path = write_nifti(tmp_path / "t1.nii")
    data = bytearray(path.read_bytes())
    header = nib.Nifti1Header(bytes(data[:348]), check=False)
    for row in range(3):
        header[f"srow_{'xyz'[row]}"] = [1 if row == 0 else 0, column[row], float(row == 2), 0]
    path.write_bytes(header.binaryblock + data[348:])
    _refused(path, "affine", kind=GeometryError)


@settings(max_examples=150, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), min_size=1, max_size=6))
@example(edits=[(40, 0)])
@example(edits=[(40, 255), (41, 255)])
@example(edits=[(70, 0)])
@example(edits=[(111, 127), (110, 192)])
def test_a_damaged_header_is_read_or_refused_but_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int]]
) -> None:
    image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    data = bytearray(image.to_bytes())
    for place, value in edits:
        data[place] = value
    path = tmp_path_factory.getbasetemp() / "fuzzed_t1.nii"
    path.write_bytes(data)
    with suppress(MmsegError):  # any other error fails the test
        open_case(path)
