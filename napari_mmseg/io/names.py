"""What a file's name says: which contrast it is, or that it is a segmentation.

Names are cut into words at everything that is neither letter, digit nor "+". The last word that
names a contrast counts (patients' ids come first, and may contain "t1"), after the leading words
that all files of a folder share are set aside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from ..volume import Modality


class Role(Enum):
    """What a file is when it is no contrast."""

    LABEL = "label"
    UNKNOWN = "unknown"


_PLANE = r"(?:ax|axi|axial|sag|sagittal|cor|coronal|tra|trans|mr|3d)?"
_CONTRAST = (
    r"(?:\+?c\+?|ce\+?|\+?gd|gad|gado|gadolinium|post|postgd|postc|postcontrast|contrast|km"
    r"|enhanced|enh)"
)
_T1 = r"t1(?:w|wi)?(?:se|tse|mprage|mpr|spgr|bravo|ffe|tfe|vibe)?"

_WORDS: tuple[tuple[Modality, re.Pattern[str]], ...] = (
    (Modality.T1CE, re.compile(rf"{_PLANE}{_T1}{_CONTRAST}|{_PLANE}t1\+")),
    (Modality.T1, re.compile(rf"{_PLANE}{_T1}(?:n|pre|native)?|mprage")),
    (Modality.FLAIR, re.compile(rf"{_PLANE}(?:t2(?:w|wi)?)?(?:fla|flair)(?:w|3d)?|{_PLANE}t2f")),
    (Modality.T2, re.compile(rf"{_PLANE}t2(?:w|wi)?(?:se|tse|fse)?")),
)

_LABEL_WORDS = frozenset(
    {
        *("seg", "segm", "segs", "segmentation", "segmentations", "label", "labels", "labelmap"),
        *("mask", "masks", "truth", "gt", "groundtruth", "groundtruths", "annotation"),
        *("annotations", "consensus", "glistrboost", "lesion", "lesions", "tumor", "tumour"),
    }
)
_LABEL_PAIRS = frozenset({("gold", "standard"), ("ground", "truth")})

#: Words of maps and differences: not one of the four contrasts, whatever else the name says.
_OTHER_WORDS = frozenset(
    {
        *("subtraction", "subtracted", "subtr", "minus", "diff", "difference", "delta", "ratio"),
        *("map", "maps", "perfusion", "perf", "dsc", "dce", "asl", "cbv", "rcbv", "cbf", "rcbf"),
        *("mtt", "ttp", "tmax", "ktrans", "adc", "dwi", "swi", "bold", "t2star", "t2s", "t1map"),
        *("t2map", "t1rho", "jacobian", "warpfield", "prob", "probs", "probability"),
        *("probabilities", "posterior", "uncertainty", "entropy", "coverage", "brainmask"),
        "synthetic",  # imagined by a network (`inference.synthetic`): not the patient's image
    }
)
_OTHER_PAIRS = frozenset(
    {("brain", "mask"), ("bet", "mask"), ("head", "mask"), ("skull", "mask"), ("t2", "star")}
)

#: "FLAIR_to_T1ce": what comes after tells the space, not the contrast.
_LINKS = frozenset({"to", "in", "on", "onto", "into", "space", "reg2", "2"})

_CONTRAST_AFTER = re.compile(_CONTRAST)
_CONTRAST_BEFORE = frozenset({"gadolinium", "gado", "contrast", "postcontrast", "enhanced"})
_NO_CONTRAST = frozenset(
    {"pre", "precontrast", "native", "non", "noncontrast", "without", "unenhanced"}
)
#: "pre" and "post" before these words speak of an operation, not of contrast agent.
_OPERATION = frozenset({"op", "operative", "surgery", "surgical", "treatment", "rt", "resection"})


def words_of(stem: str) -> tuple[str, ...]:
    """The lower-case words of a name without its suffix."""
    return tuple(word for word in re.split(r"[^0-9a-z+]+", stem.lower()) if word)


def recognise(words: Sequence[str]) -> Modality | Role:
    """What one name says by itself."""
    pairs = set(pairwise(words))
    if pairs & _OTHER_PAIRS or _OTHER_WORDS & set(words):
        return Role.UNKNOWN
    if _LABEL_WORDS & set(words) or pairs & _LABEL_PAIRS:
        return Role.LABEL
    found = [(i, m) for i, word in enumerate(words) if (m := _modality(word)) is not None]
    told = [(i, m) for n, (i, m) in enumerate(found) if n == 0 or words[i - 1] not in _LINKS]
    if not told:
        return Role.UNKNOWN
    place, modality = told[-1]
    if any(i == place - 1 and {m, modality} == {Modality.T2, Modality.FLAIR} for i, m in told):
        return Modality.FLAIR  # "T2 FLAIR", "FLAIR T2"
    if any(i == place - 1 and m is Modality.T1CE and modality is Modality.T1 for i, m in told):
        return Role.UNKNOWN  # "T1ce - T1" is a subtraction
    if modality is Modality.T1 and _is_enhanced(words, place):
        return Modality.T1CE
    return modality


def recognise_all(stems: Sequence[str]) -> list[Modality | Role]:
    """What the names of one folder's images say, read together.

    Leading words that all share (a patient's id) are set aside where that tells at least as many
    contrasts apart.
    """
    words = [words_of(stem) for stem in stems]
    shared = 0
    if len(words) > 1:
        shortest = min(len(w) for w in words)
        while shared < shortest - 1 and len({w[shared] for w in words}) == 1:
            shared += 1
    best: list[Modality | Role] = []
    most = -1
    for skip in range(shared, -1, -1):
        roles = [recognise(w[skip:]) for w in words]
        distinct = len({role for role in roles if isinstance(role, Modality)})
        if distinct > most:
            best, most = roles, distinct
    return [Role.LABEL if _is_vsd_truth(w) else r for w, r in zip(words, best, strict=True)]


def _modality(word: str) -> Modality | None:
    return next((m for m, pattern in _WORDS if pattern.fullmatch(word)), None)


def _is_enhanced(words: Sequence[str], place: int) -> bool:
    """Does a name whose T1 stands at `place` speak of contrast agent?"""
    told = [
        word
        for word, following in zip(words, (*words[1:], ""), strict=True)
        if following not in _OPERATION
    ]
    before = told[: told.index(words[place])] if words[place] in told else []
    after = told[len(before) + 1 :]
    if _NO_CONTRAST & {*before[-1:], *after}:
        return False
    return bool(_CONTRAST_BEFORE & set(before)) or any(map(_CONTRAST_AFTER.fullmatch, after))


def _is_vsd_truth(words: Sequence[str]) -> bool:
    """`VSD.Brain_3more.XX.O.OT.54517`: the expert labels of BraTS 2013 to 2015."""
    return "vsd" in words and "ot" in words
