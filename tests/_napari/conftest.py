"""Cases, viewers and models that the tests of this folder share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import phantom
import pytest
from napari.components import ViewerModel

from napari_mmseg._napari.widgets.segment_box import ModelOffer
from napari_mmseg.annotation import Provenance
from napari_mmseg.case import Case
from napari_mmseg.errors import Cancelled
from napari_mmseg.inference import Prediction, Progress
from napari_mmseg.io import open_case
from napari_mmseg.protocol import load_protocol


@pytest.fixture
def case_folder(tmp_path: Path) -> Path:
    return phantom.write_case(tmp_path / "patient one")


@pytest.fixture
def case(case_folder: Path) -> Case:
    return open_case(case_folder)


@pytest.fixture
def oblique_case(tmp_path: Path) -> Case:
    return open_case(phantom.write_case(tmp_path / "oblique", oblique_deg=12.0))


@pytest.fixture
def model_viewer() -> ViewerModel:
    """Napari's viewer without a window."""
    return ViewerModel()


@pytest.fixture
def plugin(npe2pm: Any) -> Iterator[Any]:
    """npe2's plugin manager with this plugin and no other."""
    import napari_mmseg

    manifest = Path(napari_mmseg.__file__).with_name("napari.yaml")
    with npe2pm.tmp_plugin(manifest=str(manifest)):
        yield npe2pm


@pytest.fixture
def viewer(plugin: Any, make_napari_viewer: Callable[..., Any]) -> Any:
    """A real window that is not shown."""
    return make_napari_viewer()


@pytest.fixture
def stand_in_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInModel]:
    """A model whose probabilities fall off with the distance from the phantom's tumour."""
    import napari_mmseg.inference

    model = StandInModel()
    monkeypatch.setattr(napari_mmseg.inference, "predict", model.predict)
    monkeypatch.setattr("napari_mmseg._napari.segmenting._models", lambda: [ModelOffer("stand-in")])
    yield model
    model.is_held = False


class StandInModel:
    """In place of `inference.predict`; `is_held` makes it wait, `error` makes it fail."""

    def __init__(self) -> None:
        self.is_held = False
        self.has_preview = False
        self.looks: str | None = ""
        self.skull = ""
        self.adapt: bool | None = None
        self.error: Exception | None = None
        self.calls: list[dict[str, Any]] = []

    def predict(
        self,
        case: Case,
        *,
        model: str,
        device: str,
        looks: str | None,
        skull: str,
        adapt: bool,
        preview: Callable[[Prediction], None],
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> Prediction:
        self.calls.append({"model": model, "device": device})
        self.looks, self.skull, self.adapt = looks, skull, adapt
        progress(Progress("predict", 0.5))
        if self.has_preview:
            preview(prediction_of(case))
        while self.is_held:
            if cancelled():
                raise Cancelled("cancelled")
            time.sleep(0.01)
        if self.error is not None:
            raise self.error
        return prediction_of(case)


def prediction_of(case: Case) -> Prediction:
    """Probabilities by distance: at 0.5 the regions' radii are 8, 6 and 4 mm."""
    protocol = load_protocol()
    far = case.source.to_display.apply(phantom.distances())
    probabilities = np.stack(
        [(255 * np.clip(1 - far / (2 * radius), 0, 1)).astype(np.uint8) for radius in (8, 6, 4)]
    )
    warnings = () if "T1ce" in case.volumes else ("without T1ce the ET result is unreliable",)
    return Prediction(
        grid=case.grid,
        source=case.source,
        protocol=protocol,
        regions=tuple(r.name for r in protocol.regions),
        probabilities=probabilities,
        box=(slice(None), slice(None), slice(None)),
        thresholds={r.name: 0.5 for r in protocol.regions},
        provenance=Provenance(
            model="stand-in",
            device="cpu",
            modalities=tuple(str(m) for m in case.modalities),
            missing=tuple(str(m) for m in case.missing),
            warnings=warnings,
        ),
    )
