"""Regions nest by construction, and file values turn to codes and back without guessing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.errors import EncodingError, InputError
from napari_mmseg.protocol import Protocol, Region, load_protocol, protocol_names

GLIOMA = load_protocol("glioma")

#: Two trees, one of them with two siblings: what no chain of depths could hold.
FOREST = Protocol(
    "forest",
    "a forest",
    (
        Region("A", "a", 1, None, "a", (1, 0, 0), "1"),
        Region("B", "b", 2, "A", "b", (0, 1, 0), "2"),
        Region("C", "c", 3, "A", "c", (0, 0, 1), "3"),
        Region("D", "d", 4, "B", "d", (1, 1, 0), "4"),
        Region("E", "e", 5, None, "e", (0, 1, 1), "5"),
    ),
    {},
    "",
)
PROTOCOLS = [GLIOMA, FOREST, load_protocol("ms_lesion")]


def _nested(protocol: Protocol, codes: np.ndarray) -> bool:
    return all(
        not (protocol.inside(codes, r.name) & ~protocol.inside(codes, r.parent)).any()
        for r in protocol.regions
        if r.parent
    )


@given(st.data())
def test_strokes_do_what_they_say_and_never_break_nesting(data: st.DataObject) -> None:
    protocol = data.draw(st.sampled_from(PROTOCOLS))
    highest = protocol.highest_code
    codes = data.draw(arrays(np.uint8, 30, elements=st.integers(0, highest)))
    names = [r.name for r in protocol.regions]
    for _ in range(data.draw(st.integers(1, 8))):
        name = data.draw(st.sampled_from(names))
        where = data.draw(arrays(np.bool_, 30))
        before = codes.copy()
        stroke = data.draw(st.sampled_from(["paint", "erase", "set"]))
        if stroke == "paint":
            codes[where] = protocol.paint(codes[where], name)
            assert protocol.inside(codes, name)[where].all()
        elif stroke == "erase":
            codes[where] = protocol.erase(codes[where], name)
            assert not protocol.inside(codes, name)[where].any()
            for other in protocol.ancestors(name):  # erasing a child leaves its parents
                np.testing.assert_array_equal(
                    protocol.inside(codes, other.name), protocol.inside(before, other.name)
                )
        else:
            codes[where] = protocol.set_table(name)[codes[where]]
            assert (codes[where] == protocol[name].code).all()
        np.testing.assert_array_equal(codes[~where], before[~where])
        assert codes.max() <= highest
        assert _nested(protocol, codes)


@given(arrays(np.uint8, 50, elements=st.integers(0, 3)))
def test_glioma_is_the_depth_of_nesting(codes: np.ndarray) -> None:
    for depth, name in enumerate(("WT", "TC", "ET"), start=1):
        np.testing.assert_array_equal(GLIOMA.inside(codes, name), codes >= depth)
        np.testing.assert_array_equal(GLIOMA.paint(codes, name), np.maximum(codes, depth))
        np.testing.assert_array_equal(GLIOMA.erase(codes, name), np.minimum(codes, depth - 1))


@given(arrays(np.bool_, (3, 40)))
def test_masks_to_codes_keep_a_child_inside_all_its_parents(masks: np.ndarray) -> None:
    codes = GLIOMA.from_masks(dict(zip(("WT", "TC", "ET"), masks, strict=True)))
    np.testing.assert_array_equal(GLIOMA.inside(codes, "WT"), masks[0])
    np.testing.assert_array_equal(GLIOMA.inside(codes, "TC"), masks[0] & masks[1])
    np.testing.assert_array_equal(GLIOMA.inside(codes, "ET"), masks.all(axis=0))


@given(arrays(np.uint8, 50, elements=st.integers(0, 5)))
def test_masks_of_a_forest_return(codes: np.ndarray) -> None:
    masks = {r.name: FOREST.inside(codes, r.name) for r in FOREST.regions}
    np.testing.assert_array_equal(FOREST.from_masks(masks), codes)


# -- encodings ---------------------------------------------------------------------------------

#: BraTS' and the Decathlon's own definitions: value to the regions that it lies in.
DEFINED = {
    "brats2017": {1: "WT TC", 2: "WT", 4: "WT TC ET"},
    "brats2023": {1: "WT TC", 2: "WT", 3: "WT TC ET"},
    "brats2015": {1: "WT TC", 2: "WT", 3: "WT TC", 4: "WT TC ET"},
    "msd": {1: "WT", 2: "WT TC", 3: "WT TC ET"},
    "depth": {1: "WT", 2: "WT TC", 3: "WT TC ET"},
}


def test_encodings_are_those_of_the_data_sets() -> None:
    assert set(GLIOMA.encodings) == set(DEFINED)
    for name, meaning in DEFINED.items():
        values = np.array([0, *meaning])
        codes = GLIOMA.encoding(name).decode(values)
        for region in ("WT", "TC", "ET"):
            expected = [False] + [region in regions.split() for regions in meaning.values()]
            assert GLIOMA.inside(codes, region).tolist() == expected


@given(st.sampled_from(sorted(GLIOMA.encodings)), arrays(np.uint8, 50, elements=st.integers(0, 3)))
def test_codes_return_through_every_encoding(name: str, codes: np.ndarray) -> None:
    encoding = GLIOMA.encoding(name)
    np.testing.assert_array_equal(encoding.decode(encoding.encode(codes)), codes)


@given(st.sampled_from(sorted(GLIOMA.encodings)), st.data())
def test_unedited_values_return_bit_for_bit(name: str, data: st.DataObject) -> None:
    encoding = GLIOMA.encoding(name)
    values = data.draw(arrays(np.uint8, 50, elements=st.sampled_from(sorted(encoding.read))))
    codes = encoding.decode(values)
    np.testing.assert_array_equal(encoding.encode(codes, values), values)
    edited = data.draw(arrays(np.bool_, 50))
    other = (codes + 1) % 4
    written = encoding.encode(np.where(edited, other, codes).astype(np.uint8), values)
    np.testing.assert_array_equal(written[~edited], values[~edited])
    np.testing.assert_array_equal(encoding.decode(written)[edited], other[edited])


@pytest.mark.parametrize("values", [[7], [-1], [256], [300]])
def test_unknown_values_are_refused(values: list[int]) -> None:
    for name in GLIOMA.encodings:
        with pytest.raises(EncodingError, match=r"x\.nii"):
            GLIOMA.encoding(name).decode(np.array(values), where="x.nii")


def test_a_resection_cavity_is_explained() -> None:
    with pytest.raises(EncodingError, match="resection cavity"):
        GLIOMA.encoding("brats2023").decode(np.array([4]))


@pytest.mark.parametrize(
    ("values", "readings"),
    [
        ([0], 1),
        ([0, 1, 2, 4], 1),
        ([0, 1, 2, 3, 4], 1),
        ([0, 1, 2, 3], 3),  # brats2023, brats2015, and msd or depth
        ([0, 1, 2], 2),
        ([0, 7], 0),
    ],
)
def test_readings(values: list[int], readings: int) -> None:
    assert len(GLIOMA.readings(values)) == readings


def test_names_that_are_not_there() -> None:
    with pytest.raises(InputError, match="WT, TC, ET"):
        GLIOMA["GTV"]
    with pytest.raises(EncodingError, match="brats2023"):
        GLIOMA.encoding("rt")
    for name in ("absent", "../glioma", ""):
        with pytest.raises(InputError, match="choose one of glioma, ms_lesion"):
            load_protocol(name)


def test_protocols_are_sound() -> None:
    assert set(protocol_names()) >= {"glioma", "ms_lesion"}
    for name in protocol_names():
        protocol = load_protocol(name)
        assert protocol.default_encoding in protocol.encodings
        codes = {0} | {r.code for r in protocol.regions}
        for encoding in protocol.encodings.values():
            assert set(encoding.write) == codes
        assert len({r.key for r in protocol.regions}) == len(protocol.regions)
