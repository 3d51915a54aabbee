"""`python -m napari_mmseg.training train|export|sample`: the simulator and what it teaches."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_mmseg.training.options import TrainOptions, cache_home


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m napari_mmseg.training", description=__doc__)
    jobs = parser.add_subparsers(dest="job", required=True)
    train = jobs.add_parser("train", help="train on simulated tumours")
    train.add_argument("--anatomy", type=Path, required=True)
    train.add_argument("--name", default="run")
    train.add_argument("--steps", type=int, default=TrainOptions.steps)
    train.add_argument("--minutes", type=float)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--resume", action="store_true")
    export = jobs.add_parser("export", help="turn a run's checkpoint into a model folder")
    export.add_argument("--name", default="run")
    export.add_argument("--out", type=Path, required=True)
    sample = jobs.add_parser("sample", help="write one simulated case as NIfTI files")
    sample.add_argument("--anatomy", type=Path, required=True)
    sample.add_argument("--seed", type=int, required=True)
    sample.add_argument("--ring", action="store_true", help="a ring-enhancing tumour")
    sample.add_argument("--out", type=Path, required=True)
    given = vars(parser.parse_args())
    job = given.pop("job")
    if job == "train":
        from napari_mmseg.training.loop import train as run_training

        print(run_training(TrainOptions(**given)))
    elif job == "export":
        from napari_mmseg.training.export import export_run

        print(export_run(cache_home() / "runs" / given["name"], given["out"]))
    else:
        from napari_mmseg.training.sample import write_sample

        print(write_sample(given["anatomy"], given["seed"], given["out"], ring=given["ring"]))


if __name__ == "__main__":
    main()
