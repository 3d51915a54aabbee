"""What others report as the average Dice (%) over the 15 subsets of the four contrasts.

Networks trained and tested on patients of BraTS: other data than ours, so no contest, a yardstick.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Ding Y, Yu X, Yang Y: RFNet, ICCV 2021, pp. 3975-3984. Figures from the tables "Brats2018" and
#: "Brats2020" of the authors' page, github.com/dyh127/RFNet, which sums up those of the paper.
RFNET = "Ding 2021"

#: Yang K et al.: DeMoSeg, arXiv:2408.08708. Figures from the tables "BraTS2018" and "BraTS2020" of
#: the authors' page, which run mmFormer (Zhang Y et al., MICCAI 2022) on RFNet's splits.
DEMOSEG = "Yang 2024"


@dataclass(frozen=True)
class Published:
    """A method's averages on one data set, in percent, and who reports them."""

    method: str
    data: str
    wt: float
    tc: float
    et: float
    source: str


PUBLISHED = (
    Published("HeMIS", "BraTS 2018", 78.60, 59.70, 48.10, RFNET),
    Published("U-HVED", "BraTS 2018", 80.10, 64.00, 50.00, RFNET),
    Published("RFNet", "BraTS 2018", 85.67, 76.53, 57.12, RFNET),
    Published("mmFormer", "BraTS 2018", 86.38, 75.82, 59.12, DEMOSEG),
    Published("HeMIS", "BraTS 2020", 75.10, 65.45, 47.73, RFNET),
    Published("U-HVED", "BraTS 2020", 81.24, 67.19, 48.55, RFNET),
    Published("RFNet", "BraTS 2020", 86.98, 78.23, 61.47, RFNET),
    Published("mmFormer", "BraTS 2020", 86.49, 76.06, 63.19, DEMOSEG),
)
