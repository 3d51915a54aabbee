"""Every refusal is of one family, so that one place can turn it into a sentence."""

from __future__ import annotations

import inspect

import pytest

from napari_mmseg import errors
from napari_mmseg.errors import MmsegError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_a_refusal_with_its_sentence(kind):
    assert issubclass(kind, MmsegError)
    assert str(kind("the file is empty: name another")) == "the file is empty: name another"


def test_a_position_or_an_encoding_that_does_not_fit_is_bad_input():
    assert issubclass(errors.GeometryError, errors.InputError)
    assert issubclass(errors.EncodingError, errors.InputError)


def test_bad_input_is_not_mistaken_for_a_failed_export_or_a_cancelled_job():
    for kind in (errors.ExportError, errors.Cancelled, errors.ModelError):
        assert not issubclass(kind, errors.InputError)
