"""The colours in which raters are told apart, also by those who confuse red and green."""

from __future__ import annotations

from .colours import RGBA

#: Twenty colours, the ones that differ most first. Each next one is that of the 4096 of the
#: 17-step RGB cube which lies farthest (CIELAB, the least over normal sight and protanopia,
#: deuteranopia and tritanopia as simulated by Machado et al., IEEE TVCG 15:1291, 2009) from all
#: before it, among those neither dark nor light nor pale (L* from 50 to 84, chroma above 42), to be
#: seen on grey MRI and on bright lesions. `test_raters_palette` says how far apart they are: with
#: more than a dozen the letters in the list have to help.
_HEX = (
    "56b4e9", "ff7700", "9955ff", "bbdd88", "ee0044", "bb6699", "6677cc",
    "ddcc55", "009955", "ff8899", "cc77ff", "ffbb00", "bb6600", "dd00bb",
    "77bb66", "00ddbb", "aabb55", "dd3377", "99dd99", "ff66bb",
)  # fmt: skip

#: Raters that can be shown at once.
MOST_RATERS = len(_HEX)

#: What a rater is called in short, in lists and on buttons.
LETTERS = "ABCDEFGHIJKLMNOPQRST"


def rater_colour(number: int) -> RGBA:
    """The colour of the rater of a number from 0 to `MOST_RATERS` - 1, opaque."""
    text = _HEX[number]
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue, 1.0
