"""No tool, in any order with undo and redo, breaks nesting or leaves a step that undo misses."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from napari_mmseg import editing
from napari_mmseg.editing import AdaptiveBrush, EditSession, Footprint, Lasso, Mode, Stroke
from napari_mmseg.editing.refine import Refiner, Scribble, carry, refine
from napari_mmseg.errors import InputError

from .volumes import PROTOCOLS, annotation, boxes, random_codes

SPACING = (3.0, 1.0, 1.5)
SHAPE = (4, 5, 6)

voxels = st.tuples(*[st.integers(0, n - 1) for n in SHAPE])
regions = st.integers(0, 3)
axes = st.sampled_from([None, 0, 1, 2])


class Tools(RuleBasedStateMachine):
    """Compares the session with a list of whole volumes, one a step."""

    @initialize(protocol=st.sampled_from(PROTOCOLS), seed=st.integers(0, 99))
    def begin(self, protocol, seed: int) -> None:
        self.protocol = protocol
        start = random_codes(seed, protocol)
        self.session = EditSession(annotation(start.copy(), protocol, SPACING))
        self.image = np.random.default_rng(seed).normal(size=SHAPE) + start
        self.brush = AdaptiveBrush([self.image], SPACING)
        self.refiner = Refiner(self.session.grid, protocol, [self.image])
        self.carrier = editing.Carrier(self.session.grid, protocol, [self.image])
        self.steps, self.at = [start], 0

    def name(self, number: int) -> str:
        return str(self.protocol.regions[number % len(self.protocol.regions)].name)

    def apply(self, tool, *given, **rest) -> None:
        state = self.session.state
        try:
            tool(self.session, *given, **rest)
        except InputError:
            assert self.session.state == state
        if self.session.state != state:
            self.steps = [*self.steps[: self.at + 1], self.session.codes.copy()]
            self.at += 1

    @rule(region=regions, axis=axes)
    def fill_holes(self, region: int, axis: int | None) -> None:
        self.apply(editing.fill_holes, self.name(region), axis)

    @rule(region=regions, mm3=st.floats(0, 60))
    def remove_islands(self, region: int, mm3: float) -> None:
        self.apply(editing.remove_islands, self.name(region), mm3)

    @rule(
        region=regions,
        tool=st.sampled_from([editing.grow, editing.smooth]),
        mm=st.floats(0, 4),
        within=st.booleans(),
    )
    def grow_or_smooth(self, region: int, tool, mm: float, within: bool) -> None:
        self.apply(tool, self.name(region), mm, within_parent=within)

    @rule(region=regions, mm=st.floats(0, 3))
    def shrink(self, region: int, mm: float) -> None:
        self.apply(editing.shrink, self.name(region), mm)

    @rule(
        region=regions,
        tool=st.sampled_from([editing.keep_between, editing.add_between]),
        low=st.floats(-2, 3),
    )
    def between(self, region: int, tool, low: float) -> None:
        self.apply(tool, self.name(region), self.image, low, low + 2)

    @rule(region=regions, voxel=voxels, axis=st.integers(0, 2), step=st.sampled_from([-1, 1]))
    def copy_slice(self, region: int, voxel, axis: int, step: int) -> None:
        self.apply(editing.copy_slice, self.name(region), axis, voxel[axis], step)

    @rule(
        region=regions,
        axis=st.integers(0, 2),
        keys=st.none() | st.lists(st.integers(0, 5), max_size=3),
        replace=st.booleans(),
        within=st.booleans(),
    )
    def interpolate(self, region: int, axis: int, keys, replace: bool, within: bool) -> None:
        self.apply(
            editing.interpolate,
            self.name(region),
            axis,
            keys,
            replace=replace,
            within_parent=within,
        )

    @rule(region=regions, to=regions, which=st.integers(0, 9), act=st.integers(0, 3))
    def lesion(self, region: int, to: int, which: int, act: int) -> None:
        session, name = self.session, self.name(region)
        found = editing.find_lesions(session.codes, session.protocol, name, session.grid).items
        if not found:
            return
        lesion = found[which % len(found)]
        if act < 2:
            self.apply(editing.relabel, name, lesion, self.name(to), exact=bool(act))
        else:
            self.apply(editing.remove if act == 2 else editing.keep_only, name, lesion)

    @rule(
        region=regions,
        mode=st.sampled_from(list(Mode)),
        start=voxels,
        end=voxels,
        mm=st.floats(0.5, 8),
        axis=axes,
    )
    def adaptive_drag(self, region: int, mode: Mode, start, end, mm: float, axis) -> None:
        if axis is not None:
            end = tuple(start[i] if i == axis else end[i] for i in range(3))

        def drag(session: EditSession) -> None:
            session.begin("adaptive brush")
            for place in (
                self.brush.stamp(start, mm, axis),
                self.brush.sweep(start, end, mm, axis),
            ):
                session.extend(Stroke(self.name(region), mode, place))
            session.end()

        self.apply(drag)

    @rule(region=regions, corners=st.lists(voxels, min_size=2, max_size=4), axis=st.integers(0, 2))
    def lasso(self, region: int, corners, axis: int) -> None:
        index = corners[0][axis]
        flat = [tuple(index if i == axis else c[i] for i in range(3)) for c in corners]
        footprint = Lasso(self.image, SPACING, axis, index).fill(flat)
        self.apply(lambda session: session.apply(Stroke(self.name(region), Mode.PAINT, footprint)))

    @rule(region=regions, footprint=boxes(), everything=st.booleans())
    def restore(self, region: int, footprint, everything: bool) -> None:
        name, place = None if everything else self.name(region), Footprint(*footprint)

        def brush(session: EditSession) -> None:
            session.begin("restore")
            for stroke in editing.restoring(
                session.codes, session.proposal, self.protocol, name, place
            ):
                session.extend(stroke)
            session.end()

        self.apply(brush)
        clipped = place.clipped(SHAPE)
        if clipped is not None:
            box, mask = clipped
            now, then = self.session.codes[box][mask], self.session.proposal[box][mask]
            if name is None:
                np.testing.assert_array_equal(now, then)
            else:
                inside = self.protocol.inside
                np.testing.assert_array_equal(inside(now, name), inside(then, name))

    @rule(region=regions)
    def restore_all(self, region: int) -> None:
        self.apply(EditSession.restore, self.name(region))

    @rule(seed=st.integers(0, 9), as_proposal=st.booleans(), keep_edits=st.booleans())
    def put_a_result(self, seed: int, as_proposal: bool, keep_edits: bool) -> None:
        result = random_codes(seed, self.protocol)
        self.apply(
            EditSession.replace, result, "result", as_proposal=as_proposal, keep_edits=keep_edits
        )

    @rule(
        region=regions,
        mode=st.sampled_from(list(Mode)),
        start=voxels,
        end=voxels,
        mm=st.floats(0.5, 8),
        axis=axes,
    )
    def brush_drag(self, region: int, mode: Mode, start, end, mm: float, axis) -> None:
        if axis is not None:
            end = tuple(start[i] if i == axis else end[i] for i in range(3))
        area = editing.sweep(start, end, mm, SPACING, axis)
        self.apply(lambda session: session.apply(Stroke(self.name(region), mode, area)))

    @rule(region=regions, mode=st.sampled_from(list(Mode)), voxel=voxels, axis=axes)
    def fill_area(self, region: int, mode: Mode, voxel, axis: int | None) -> None:
        def fill(session: EditSession) -> None:
            area = editing.flood(session.codes, voxel, axis)
            session.apply(Stroke(self.name(region), mode, area))

        self.apply(fill)

    @rule(
        region=regions,
        mode=st.sampled_from(list(Mode)),
        corners=st.lists(voxels, min_size=3, max_size=5),
        axis=st.integers(0, 2),
    )
    def fill_polygon(self, region: int, mode: Mode, corners, axis: int) -> None:
        flat = np.array(corners)
        flat[:, axis] = flat[0, axis]
        area = editing.polygon(flat, axis)
        self.apply(lambda session: session.apply(Stroke(self.name(region), mode, area)))

    @rule(marks=st.lists(st.tuples(regions, st.booleans(), voxels), min_size=1, max_size=3))
    def refine(self, marks) -> None:
        scribbles = [
            Scribble(self.name(region), inside, editing.stamp(voxel, 1.5, SPACING, 0))
            for region, inside, voxel in marks
        ]
        self.apply(refine, self.refiner, scribbles)

    @rule(keys=st.lists(st.integers(0, 5), min_size=2, max_size=3), axis=st.integers(0, 2))
    def carry(self, keys, axis: int) -> None:
        self.apply(carry, self.carrier, keys, axis)

    @rule(region=regions)
    def mirror(self, region: int) -> None:
        before = self.session.codes.copy()
        mask = self.protocol.inside(self.session.codes, self.name(region))
        editing.mirrored(mask, editing.symmetry_plane(self.image, SPACING), SPACING)
        np.testing.assert_array_equal(self.session.codes, before)  # an outline only

    @rule()
    def undo(self) -> None:
        self.at -= self.session.undo() is not None

    @rule()
    def redo(self) -> None:
        self.at += self.session.redo() is not None

    @invariant()
    def every_step_is_as_it_was_and_regions_are_nested(self) -> None:
        if not hasattr(self, "session"):
            return
        codes = self.session.codes
        np.testing.assert_array_equal(codes, self.steps[self.at])
        assert self.session.undo_depth == self.at
        assert codes.max() <= self.protocol.highest_code
        for region in self.protocol.regions:
            if region.parent:
                inside = self.protocol.inside(codes, region.name)
                assert not (inside & ~self.protocol.inside(codes, region.parent)).any()


Tools.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestTools = Tools.TestCase
