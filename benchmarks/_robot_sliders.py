"""The sliders of the model's thresholds, where a region is seen to be too small or too large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from benchmarks._robot_user import Codes, User

#: A look at these shares of the way through the tumour tells whether a slider is worth a move.
LOOKED_AT = (0.25, 0.5, 0.75)

#: A slider is moved when one kind of error is so many times the other, and this share of the area.
ONE_SIDED, WORTH_SHARE = 2.0, 0.15

#: Where the slider is stopped to look (the model's threshold lies among them or between).
STOPS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)


def move_sliders(
    user: User,
    thresholds: Mapping[str, float],
    at_thresholds: Callable[[Mapping[str, float]], Codes],
) -> Iterator[None]:
    """Region by region, as far as it gets better in the slices that are looked at.

    A stop costs a segment of drawing and a look, taking the slider a click; parents come first.
    """
    shown = np.flatnonzero((user.target > 0).any(axis=(1, 2)))
    if not shown.size:
        return
    looked = [int(shown[round(share * (shown.size - 1))]) for share in LOOKED_AT]
    chosen = dict(thresholds)
    with user.clock.using("sliders"):
        user.clock.key(len(looked))
        user.clock.think()
        for region in [name for name in user.regions if name in chosen]:
            lower = _direction(user, region, looked)
            if lower is None:
                continue
            user.clock.stroke(0, 0.0)
            best = sum(user.errors(region, index) for index in looked)
            now = chosen[region]
            stops = [s for s in STOPS if s < now][::-1] if lower else [s for s in STOPS if s > now]
            for stop in stops:
                user.clock.draw_one()
                user.clock.think()
                codes = at_thresholds({**chosen, region: stop})
                wrong = sum(
                    int(
                        np.count_nonzero(
                            user.session.protocol.inside(codes[i], region) != user.sees(region, i)
                        )
                    )
                    for i in looked
                )
                if wrong >= best:
                    break
                best, chosen[region] = wrong, stop
            if chosen[region] != now:
                user.session.replace(
                    at_thresholds(chosen), "thresholds", keep_edits=True, group="thresholds"
                )
            yield


def _direction(user: User, region: str, looked: list[int]) -> bool | None:
    """Should the threshold be lowered (too little is labelled), raised (False) or left alone?"""
    missing = wrong = area = 0
    for index in looked:
        now, right = user.now(region, index), user.sees(region, index)
        missing += int(np.count_nonzero(right & ~now))
        wrong += int(np.count_nonzero(now & ~right))
        area += int(np.count_nonzero(right))
    if max(missing, wrong) < WORTH_SHARE * max(area, 1):
        return None
    if max(missing, wrong) < ONE_SIDED * min(missing, wrong):
        return None
    return missing > wrong
