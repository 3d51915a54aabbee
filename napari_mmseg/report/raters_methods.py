"""How the report's numbers came about, in sentences that can go into a paper."""

from __future__ import annotations

import platform
from importlib.metadata import version

from .. import __version__
from ..agreement.detection import LESION_MM3
from ..agreement.effects.clusters import RESAMPLES as EFFECT_RESAMPLES
from ..agreement.effects.findings import FEWEST_CASES, LEVEL
from ..agreement.many import SURROUND_MM
from .raters_case import RatersReport
from .summary import RESAMPLES, SEED


def methods(report: RatersReport) -> list[str]:
    """Paragraphs, most general first; only about what the report holds."""
    read = len({(r.rater, r.case, r.repeat) for r in report.readings})
    repeats = len({(r.rater, r.case, r.repeat) for r in report.readings if r.repeat})
    first = (
        f"{len(report.raters)} raters gave {read} readings of {len(report.cases)} "
        f"{'case' if len(report.cases) == 1 else 'cases'}"
        f"{f', {repeats} of them blind repeats' if repeats else ''}. The regions "
        f"{', '.join(report.regions)} are nested by construction: each voxel bears the deepest "
        "region that it lies in, and a region holds its children. Agreement was measured with "
        f"napari-mmseg {__version__} (Python {platform.python_version()}, NumPy "
        f"{version('numpy')}, SciPy {version('scipy')})."
    )
    pairs = (
        "Every pair of raters was compared by Dice and Jaccard coefficients; the 95th percentile "
        "Hausdorff distance (HD95, maximum of both directions) and the mean surface distance, in "
        "mm, of surface voxels; the normalised surface Dice (NSD: the share of both surfaces "
        f"within {report.tolerance_mm:g} mm of each other); F1 of lesions (26-connected components "
        f"of at least {LESION_MM3:g} mm³, found by any overlap); and volumes. A pair that both "
        "left a region empty has no value and enters no mean; where one did, ratios are 0 and "
        "distances undefined. Fleiss' kappa (1971) and Krippendorff's alpha (nominal) were "
        f"computed over the voxels within {SURROUND_MM:g} mm of the union of all raters, since "
        "over the whole image both depend on the field of view. Diversity is the expected 1 - IoU "
        "of two raters drawn with replacement, as in the generalised energy distance. ICC(2,1) of "
        "volumes (absolute agreement; Shrout and Fleiss 1979) is over the cases that all raters "
        "read. Each rater was also compared, by the measures of a pair, with the majority of the "
        "other raters (more than half; exactly half is out). Each case's value is the mean over "
        "its pairs; tables show the mean over cases with "
        f"the 95 % percentile bootstrap interval over cases ({RESAMPLES} resamplings, seed {SEED})."
    )
    effects = (
        "Each reading was also scored by its Dice with the majority of the other raters' first "
        "readings (ties count by half). Skill and volume bias are rater effects, summing to zero, "
        "in a linear model with a level for each case (volumes on a logarithmic scale); anchoring "
        "(agreement with the model's proposal where it was shown, minus where it was hidden), "
        "drift (per ten readings) and effort (per doubling of active time) are slopes in that "
        "model. Cases were resampled as clusters "
        f"({EFFECT_RESAMPLES} times); intervals are expanded percentile intervals (Hesterberg "
        f"2015), given from {FEWEST_CASES} cases on. An effect is called real when its p, "
        f"corrected by Holm among all effects of the study, is below {LEVEL:g} and its "
        "interval leaves zero out. The within-rater standard deviation of volume is "
        "sqrt(mean d² / 2) of the logarithms of repeated readings, with its chi-square interval; "
        "the repeatability coefficient is 2.77 times it (Bland and Altman 1999)."
    )
    disputed = (
        "Disputed slices were ranked by the Shannon entropy of the raters' votes, summed over the "
        "slice's area."
    )
    told = [first, pairs]
    if any(one.p is not None for one in report.effects.effects):
        told.append(effects)
    return [*told, disputed] if report.disputed else told
