"""What all pages share: one HTML file in one style, which needs no other file and no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #212529; background: #fff;
       max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.lead, figcaption, .note { color: #5c636a; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .55rem; text-align: right; border-bottom: 1px solid #e9ecef;
         white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; white-space: normal; }
th:first-child, td.case, td.region, th.region { text-align: left; }
td small { display: block; color: #5c636a; }
tr.first td { border-top: 1px solid #adb5bd; }
.key { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .35em; }
.line { display: inline-block; width: 1.8em; border-top: 3px solid; vertical-align: middle;
        margin: 0 .3em 0 .8em; }
.name { white-space: nowrap; }
.warning { background: #fff9db; border-left: 4px solid #fab005; padding: .4rem .8rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); gap: 1rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; }
@media print {
  body { max-width: none; margin: 0; font-size: 10pt; }
  table { font-size: 7pt; } th, td { padding: .1rem .25rem; }
  .wide { overflow: visible; } .grid { grid-template-columns: repeat(3, 1fr); }
  figure, tr { break-inside: avoid; } h2, .note { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def document(title: str, body: Iterable[str]) -> str:
    """The whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body>{''.join(body)}</body></html>\n"
    )


def in_figure(svg: str, caption: str = "") -> str:
    return f"<figure>{svg}{caption}</figure>"


def key(region: str, colours: Mapping[str, str]) -> str:
    """A region's name with a dot of its colour."""
    return f'<span class="key" style="background:{colours[region]}"></span>{escape(region)}'


def hex_colour(colour: tuple[float, float, float]) -> str:
    """`#rrggbb` of parts between 0 and 1."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)
