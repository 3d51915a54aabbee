"""`python -m napari_mmseg.training JOB`: train, validate or calibrate on simulated cases."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from napari_mmseg.training.options import ALL, LEARN, TrainOptions, runs_folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m napari_mmseg.training", description=__doc__)
    jobs = parser.add_subparsers(dest="job", required=True)
    train = jobs.add_parser("train", help="train on simulated tumours")
    train.add_argument("--anatomy", type=Path, required=True)
    train.add_argument("--name", default="run")
    train.add_argument("--steps", type=int, default=TrainOptions.steps)
    train.add_argument("--minutes", type=float)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--learning-rate", type=float, default=TrainOptions.learning_rate)
    train.add_argument("--resume", action="store_true")
    train.add_argument("--init", metavar="MODEL", help="begin with this model's weights")
    train.add_argument("--task", choices=("tumour", "brain"), default="tumour")
    export = jobs.add_parser("export", help="turn a run's checkpoint into a model folder")
    export.add_argument("--name", default="run")
    export.add_argument("--out", type=Path, required=True)
    sample = jobs.add_parser("sample", help="write one simulated case as NIfTI files")
    sample.add_argument("--anatomy", type=Path, required=True)
    sample.add_argument("--seed", type=int, required=True)
    sample.add_argument("--ring", action="store_true", help="a ring-enhancing tumour")
    sample.add_argument("--out", type=Path, required=True)
    check = jobs.add_parser("validate", help="mean Dice on differently simulated cases")
    check.add_argument("--anatomy", type=Path, required=True)
    check.add_argument("--model", default="simulated")
    check.add_argument("--cases", type=int, default=12)
    calibrate = jobs.add_parser("calibrate", help="make probabilities of a model's numbers")
    calibrate.add_argument("--anatomy", type=Path, required=True)
    calibrate.add_argument("--model", default="simulated")
    calibrate.add_argument("--cases", type=int, default=30)
    calibrate.add_argument("--seed", type=int, default=0)
    for name, purpose in (
        ("statistics", "what simulated tumours measure, beside real ones"),
        ("gallery", "a contact sheet of simulated cases, beside real ones"),
    ):
        look = jobs.add_parser(name, help=purpose)
        look.add_argument("--anatomy", type=Path, required=True)
        look.add_argument("--cases", type=int, default=12)
        look.add_argument("--seed", type=int, default=0)
        look.add_argument("--real", type=Path, nargs="*", default=[], metavar="FOLDER")
        look.add_argument("--encoding", help="of real label files whose names do not tell")
        if name == "gallery":
            look.add_argument("--out", type=Path, required=True)
    answers = jobs.add_parser(
        "answers", help="a contact sheet of what models find in simulated cases"
    )
    answers.add_argument("--anatomy", type=Path, required=True)
    answers.add_argument("--models", nargs="+", required=True, metavar="TITLE=MODEL")
    answers.add_argument("--seed", type=int, default=0)
    answers.add_argument("--out", type=Path, required=True)
    folds = jobs.add_parser("folds", help="tune on labelled cases, each judged by a fold's network")
    folds.add_argument("--data", type=Path, required=True, help="folder of labelled cases")
    folds.add_argument("--folds", type=int, default=3, help="as many as cases: leave one out")
    folds.add_argument("--model", default="simulated", help="the model to continue")
    folds.add_argument("--licence", required=True, help="the tuned model's terms: its cases'")
    folds.add_argument("--anatomy", type=Path, help="label maps: simulated cases are replayed")
    folds.add_argument("--encoding", help="of label files whose names do not tell")
    folds.add_argument("--name", default="tuned")
    folds.add_argument("--steps", type=int, default=300, help="of each network")
    folds.add_argument("--minutes", type=float, help="at most, of each network")
    folds.add_argument("--seed", type=int, default=0)
    folds.add_argument("--rate", type=float, help="of learning (default: as finetune)")
    folds.add_argument("--replay", type=float, help="share of simulated crops (as finetune)")
    folds.add_argument("--learn", choices=LEARN, default=ALL, help="all weights, or only scales")
    folds.add_argument("--ema", type=float, default=TrainOptions.ema)
    folds.add_argument("--device", default="cpu", choices=("cpu", "cuda", "auto"))
    folds.add_argument("--resume", action="store_true")
    folds.add_argument("--out", type=Path, help="model folder (default: in your models folder)")
    given = vars(parser.parse_args())
    job = given.pop("job")
    if job == "train":
        from napari_mmseg.training.loop import train as run_training

        if given["task"] == "brain":
            from napari_mmseg.training.strip import STRIP_RUN

            given |= STRIP_RUN
        print(run_training(TrainOptions(**given)))
    elif job == "export":
        from napari_mmseg.training.export import export_run

        print(export_run(runs_folder() / given["name"], given["out"]))
    elif job == "folds":
        from napari_mmseg.training.memory import hold_memory

        hold_memory()
        print(_folded(**given))
    elif job == "validate":
        print(_validated(**given))
    elif job == "calibrate":
        from napari_mmseg.training.calibrate import calibrate as run_calibration

        print(json.dumps(run_calibration(**given), indent=2))
    elif job == "answers":
        print(_answered(**given))
    elif job in ("statistics", "gallery"):
        print(_looked_at(**given))
    else:
        from napari_mmseg.training.sample import write_sample

        print(write_sample(given["anatomy"], given["seed"], given["out"], ring=given["ring"]))


def _answered(anatomy: Path, models: list[str], seed: int, out: Path) -> str:
    """Where the sheet was written."""
    from napari_mmseg.training.answers import answered, cases_of_kinds, write_answers
    from napari_mmseg.training.validate import held_out_heads

    titled = {}
    for text in models:
        title, _, model = text.rpartition("=")
        titled[title or Path(model).name] = model
    return str(write_answers(answered(cases_of_kinds(held_out_heads(anatomy), seed), titled), out))


def _folded(
    model: str,
    folds: int,
    licence: str,
    rate: float | None,
    replay: float | None,
    out: Path | None,
    **given: Any,
) -> str:
    """The mean Dice before and in the folds, as text."""
    from napari_mmseg.models import user_models_folder
    from napari_mmseg.training.finetune import LEARNING_RATE, REPLAY
    from napari_mmseg.training.folds import tune_in_folds

    options = TrainOptions(
        learning_rate=LEARNING_RATE if rate is None else rate,
        replay=REPLAY if replay is None else replay,
        **given,
    )
    folder = out or user_models_folder() / options.name
    tuned = tune_in_folds(
        options, model, folds, folder, licence, tell=lambda line: print(line, flush=True)
    )
    told = {
        "model": str(tuned.folder),
        "record": str(tuned.record),
        "cases": tuned.cases,
        "mean_dice_before": dict(tuned.before),
        "mean_dice_in_folds": dict(tuned.after),
    }
    return json.dumps(told, indent=2)


def _validated(anatomy: Path, model: str, cases: int) -> dict[str, float | None]:
    from napari_mmseg.inference.engine import open_processor
    from napari_mmseg.models import load_card
    from napari_mmseg.training.validate import held_out_heads, mean_dice, shifted_cases

    card = load_card(model)
    a, b, c = (card.thresholds[region] for region in card.regions)
    engine = open_processor(card)
    return mean_dice(
        lambda volumes: engine.run(volumes, lambda: None),
        shifted_cases(held_out_heads(anatomy), cases),
        card.stride,
        (a, b, c),
    )


def _looked_at(
    anatomy: Path,
    cases: int,
    seed: int,
    real: list[Path],
    encoding: str | None,
    out: Path | None = None,
) -> str:
    """Statistics as text, or where the gallery was written."""
    from napari_mmseg.training import statistics
    from napari_mmseg.training.gallery import write_sheet
    from napari_mmseg.training.validate import held_out_heads, shifted_cases, simulated_cases

    heads = held_out_heads(anatomy)
    groups: dict[str, list[statistics.NamedCase]] = {
        "simulated": [
            (f"{n}", *case) for n, case in enumerate(simulated_cases(heads, cases, seed))
        ],
        "shifted": [(f"{n}", *case) for n, case in enumerate(shifted_cases(heads, cases, seed))],
        "real": list(statistics.real_cases(real, encoding)),
    }
    groups = {title: group for title, group in groups.items() if group}
    if out is not None:
        return str(write_sheet(groups, out))
    return statistics.table(
        {title: [statistics.measure(*case) for case in group] for title, group in groups.items()}
    )


if __name__ == "__main__":
    main()
