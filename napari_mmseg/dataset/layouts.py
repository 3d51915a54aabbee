"""What the files of a dataset are called: BIDS derivatives, or as in the BraTS challenges.

- BIDS: https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html. Labels of
  entities are letters and digits only, so that "case-001" becomes `sub-case001`.
- BraTS (2023 and later): a folder a case with NAME-seg and NAME-t1n, -t1c, -t2w, -t2f. A loader
  expects one segmentation a folder: raters' own labels lie in a folder each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from ..errors import InputError
from ..volume import Modality

LayoutName = Literal["bids", "brats"]

BIDS_VERSION = "1.10.0"

_BIDS_IMAGES = {
    Modality.T1: "desc-preproc_T1w",
    Modality.T1CE: "ce-gadolinium_desc-preproc_T1w",
    Modality.T2: "desc-preproc_T2w",
    Modality.FLAIR: "desc-preproc_FLAIR",
}
_BRATS_IMAGES = {
    Modality.T1: "t1n",
    Modality.T1CE: "t1c",
    Modality.T2: "t2w",
    Modality.FLAIR: "t2f",
}
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True)
class Images:
    """Are the images in the dataset, and is the skull removed in them (None: nobody said)?

    BIDS wants the answer, and looking at an image does not tell it surely.
    """

    written: bool = False
    skull_stripped: bool | None = None


@dataclass(frozen=True)
class Layout:
    """Paths inside a dataset, without their ends (.nii.gz)."""

    name: LayoutName

    def case(self, case: str) -> str:
        """What a case is called in the dataset."""
        return f"sub-{label(case)}" if self.name == "bids" else case

    def consensus(self, case: str) -> PurePosixPath:
        if self.name == "bids":
            return self._anat(case) / f"{self.case(case)}_desc-consensus_dseg"
        return PurePosixPath(case) / f"{case}-seg"

    def rater(self, case: str, rater: str, repeat: int) -> PurePosixPath:
        if self.name == "bids":
            again = f"repeat{repeat}" if repeat else ""
            return self._anat(case) / f"{self.case(case)}_desc-rater{label(rater)}{again}_dseg"
        again = f"-repeat{repeat}" if repeat else ""
        return PurePosixPath("raters") / rater / f"{case}{again}-seg"

    def soft(self, case: str, region: str) -> PurePosixPath:
        if self.name == "bids":
            return self._anat(case) / (
                f"{self.case(case)}_label-{label(region)}_desc-consensus_probseg"
            )
        return PurePosixPath("soft") / f"{case}-{region}"

    def image(self, case: str, modality: Modality) -> PurePosixPath:
        if self.name == "bids":
            return self._anat(case) / f"{self.case(case)}_{_BIDS_IMAGES[modality]}"
        return PurePosixPath(case) / f"{case}-{_BRATS_IMAGES[modality]}"

    def check(self, cases: Iterable[str], raters: Iterable[str]) -> None:
        """Refuse names that would be one file's.

        Raises
        ------
        InputError
            When two cases or two raters differ in what the layout cannot hold only.
        """
        if self.name != "bids":
            return
        for kind, names in (("cases", cases), ("raters", raters)):
            seen: dict[str, str] = {}
            for name in names:
                other = seen.setdefault(label(name).lower(), name)
                if other != name:
                    raise InputError(
                        f"the {kind} {other} and {name} would have one name in BIDS, which takes "
                        "letters and digits only: take the layout brats"
                    )

    def _anat(self, case: str) -> PurePosixPath:
        return PurePosixPath(self.case(case)) / "anat"


LAYOUTS: dict[str, Layout] = {"bids": Layout("bids"), "brats": Layout("brats")}


def label(name: str) -> str:
    """A name as BIDS takes it: its letters and digits."""
    return _NOT_IN_LABELS.sub("", name)
