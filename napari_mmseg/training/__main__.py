"""`python -m napari_mmseg.training`: train without the rest of the program."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_mmseg.training.options import TrainOptions


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m napari_mmseg.training")
    parser.add_argument("--anatomy", type=Path)
    parser.add_argument("--name", default="run")
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    from napari_mmseg.training.loop import train

    path = train(TrainOptions(**vars(given)))
    print(path)


if __name__ == "__main__":
    main()
