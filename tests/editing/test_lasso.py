"""The lasso follows edges, whatever the plane and the spacing, and is quick."""

from __future__ import annotations

import time

import numpy as np
import pytest

from napari_mmseg.editing import Lasso
from napari_mmseg.errors import InputError


def disc(rows: int, columns: int, radius: float, edges=(1.0, 1.0)) -> np.ndarray:
    y, x = np.ogrid[:rows, :columns]
    return np.asarray(
        ((y - rows // 2) * edges[0]) ** 2 + ((x - columns // 2) * edges[1]) ** 2 <= radius**2
    )


def noisy(mask: np.ndarray) -> np.ndarray:
    return 200 + 100 * mask + np.random.default_rng(0).normal(0, 12, mask.shape)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_disc_is_outlined_from_four_points_near_it(axis):
    truth = disc(80, 90, 25)
    image = np.expand_dims(noisy(truth), axis).repeat(3, axis)
    lasso = Lasso(image, (1.0, 1.0, 1.0), axis, 1)
    corners = [(40, 70), (65, 45), (40, 20), (15, 45)]
    footprint = lasso.fill([tuple(np.insert(corner, axis, 1)) for corner in corners])
    found = np.zeros(image.shape, bool)
    box, mask = footprint.clipped(image.shape)
    found[box] = mask
    flat = np.take(found, 1, axis=axis)
    assert 2 * (flat & truth).sum() / (flat.sum() + truth.sum()) > 0.95
    assert found.sum() == flat.sum()


def test_a_way_is_unbroken_and_stays_on_the_edge():
    truth = disc(80, 80, 25)
    path = Lasso(noisy(truth)[None], (1.0, 1.0, 1.0), 0, 0).path((0, 40, 65), (0, 15, 40))
    assert tuple(path[0]) == (0, 40, 65)
    assert tuple(path[-1]) == (0, 15, 40)
    assert (abs(np.diff(path, axis=0)).max(axis=1) == 1).all()
    away = abs(np.hypot(path[:, 1] - 40, path[:, 2] - 40) - 25)
    assert np.median(away) <= 1.0
    assert away.max() <= 3.0


def test_the_way_back_is_another_one_so_that_something_is_enclosed():
    truth = disc(80, 80, 25)
    lasso = Lasso(noisy(truth)[None], (1.0, 1.0, 1.0), 0, 0)
    footprint = lasso.fill([(0, 40, 65), (0, 15, 40), (0, 40, 15)])  # half of the circle
    box, mask = footprint.clipped((1, 80, 80))
    found = np.zeros((1, 80, 80), bool)
    found[box] = mask
    upper = truth & (np.arange(80) <= 40)[:, None]
    assert (found[0] & upper).sum() > 0.95 * upper.sum()


def test_spacing_counts():
    truth = disc(30, 90, 25, (3.0, 1.0))
    lasso = Lasso(noisy(truth)[:, None], (3.0, 1.0, 1.0), 1, 0)
    path = lasso.path((15, 0, 70), (7, 0, 45))
    away = abs(np.hypot((path[:, 0] - 15) * 3, path[:, 2] - 45) - 25)
    assert np.median(away) <= 2.0


def test_without_an_edge_the_way_is_straight():
    path = Lasso(np.full((1, 40, 40), 7), (1.0, 1.0, 1.0), 0, 0).path((0, 5, 5), (0, 5, 35))
    assert (path[:, 1] == 5).all()
    assert len(path) == 31


def test_few_or_equal_points_do_not_fail_and_wrong_ones_are_refused():
    lasso = Lasso(np.zeros((2, 9, 9)), (1.0, 1.0, 1.0), 0, 1)
    assert lasso.fill([(1, 4, 4), (1, 4, 4)]).mask.sum() == 1
    assert lasso.fill([(1, 4, 4), (1, 4, 5)]).mask.sum() == 2
    with pytest.raises(InputError, match="two points"):
        lasso.fill([(1, 4, 4)])
    with pytest.raises(InputError, match="inside"):
        lasso.path((1, 4, 4), (1, 4, 9))
    with pytest.raises(InputError, match="no slice"):
        Lasso(np.zeros((2, 9, 9)), (1.0, 1.0, 1.0), 0, 2)


def test_two_hundred_voxels_take_little_time():
    """In time of the processor; 50 ms is the aim, twice that allows for a busy machine."""
    image = noisy(disc(240, 240, 80))[None]
    lasso = Lasso(image, (1.0, 1.0, 1.0), 0, 0)
    taken = []
    for _ in range(5):
        begin = time.thread_time()
        lasso.path((0, 120, 20), (0, 120, 220))
        taken.append(time.thread_time() - begin)
    assert min(taken) < 0.1, taken
