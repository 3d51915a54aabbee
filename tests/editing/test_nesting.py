"""No sequence of strokes, undo, redo, imports and thresholds breaks nesting or loses a step."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from napari_mmseg.editing import Change, EditSession, Footprint, Mode, Stroke
from napari_mmseg.protocol import Protocol

from .volumes import FOREST, PROTOCOLS, SHAPE, annotation, boxes, covered, random_codes

#: Small enough that the oldest steps of a run must go.
TIGHT_BYTES = 6_000


def members(protocol: Protocol, code: int) -> set[str]:
    """The regions that a voxel with a code lies in, by walking up the parents."""
    found, region = set(), next((r for r in protocol.regions if r.code == code), None)
    while region is not None:
        found.add(region.name)
        region = protocol[region.parent] if region.parent else None
    return found


def expected(protocol: Protocol, code: int, region: str, mode: Mode) -> set[str]:
    """What the modes promise, said with sets instead of tables."""
    now, own = members(protocol, code), members(protocol, protocol[region].code)
    exactly_own = now == own
    if mode is Mode.PAINT:
        return now if region in now else own
    if mode is Mode.ERASE:
        return own - {region} if region in now else now
    if mode is Mode.SET:
        return own
    return own - {region} if exactly_own else now


@given(
    protocol=st.sampled_from(PROTOCOLS),
    mode=st.sampled_from(list(Mode)),
    region=st.integers(0, 3),
    footprint=boxes(),
    over=st.none() | st.frozensets(st.integers(0, 4)),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=150, deadline=None)
def test_a_stroke_does_what_its_mode_says_and_nothing_else(
    protocol, mode, region, footprint, over, seed
):
    name = protocol.regions[region % len(protocol.regions)].name
    before = random_codes(seed, protocol)
    session = EditSession(annotation(before.copy(), protocol))
    session.apply(Stroke(name, mode, Footprint(*footprint), over))
    where = covered(*footprint)
    for voxel in np.ndindex(SHAPE):
        code, after = int(before[voxel]), int(session.codes[voxel])
        if where[voxel] and (over is None or code in over):
            assert members(protocol, after) == expected(protocol, code, name, mode)
        else:
            assert after == code


class Editing(RuleBasedStateMachine):
    """Compares the session with a list of whole volumes, one a step."""

    @initialize(protocol=st.sampled_from(PROTOCOLS), seed=st.integers(0, 99), tight=st.booleans())
    def begin_session(self, protocol: Protocol, seed: int, tight: bool) -> None:
        self.protocol = protocol
        start = random_codes(seed, protocol)
        self.session = EditSession(
            annotation(start.copy(), protocol), TIGHT_BYTES if tight else 2**30
        )
        self.mirror = start.copy()
        self.session.on_change.append(self.reflect)
        self.steps = [self.both()]
        self.at = 0
        self.saved: int | None = self.session.state
        self.group: str | None = None

    def reflect(self, change: Change) -> None:
        self.mirror[change.indices] = change.values
        outside = np.ones(SHAPE, bool)
        outside[change.box] = False
        assert not outside[change.indices].any()

    def both(self) -> tuple[np.ndarray, np.ndarray]:
        return self.session.codes.copy(), self.session.proposal.copy()

    def stepped(self, state: int, group: str | None = None) -> None:
        """Note the present volumes if the last call made a step."""
        if self.session.state == state:
            return
        if group is not None and group == self.group:
            self.steps[-1] = self.both()
        else:
            self.steps = [*self.steps[: self.at + 1], self.both()]
            self.at += 1
        self.group = group

    def name(self, number: int) -> str:
        return self.protocol.regions[number % len(self.protocol.regions)].name

    @rule(
        strokes=st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from(list(Mode)), boxes()),
            min_size=1,
            max_size=4,
        ),
        aborted=st.booleans(),
    )
    def drag(self, strokes, aborted: bool) -> None:
        state, before = self.session.state, self.both()
        self.session.begin("drag")
        for region, mode, footprint in strokes:
            self.session.extend(Stroke(self.name(region), mode, Footprint(*footprint)))
        if aborted:
            self.session.abort()
            assert self.session.state == state
            np.testing.assert_array_equal(self.session.codes, before[0])
        else:
            self.session.end()
            if (self.session.codes == before[0]).all():
                assert self.session.state == state
            self.stepped(state)

    @rule(
        seed=st.integers(0, 5),
        as_proposal=st.booleans(),
        keep_edits=st.booleans(),
        group=st.sampled_from([None, "threshold"]),
    )
    def put_a_result(self, seed: int, as_proposal: bool, keep_edits: bool, group) -> None:
        state = self.session.state
        result = random_codes(seed, self.protocol)
        self.session.replace(
            result, "model", as_proposal=as_proposal, keep_edits=keep_edits, group=group
        )
        if not keep_edits:
            np.testing.assert_array_equal(self.session.codes, result)
        if as_proposal:
            np.testing.assert_array_equal(self.session.proposal, result)
        self.stepped(state, group)

    @rule(region=st.integers(0, 3))
    def restore(self, region: int) -> None:
        state, name = self.session.state, self.name(region)
        self.session.restore(name)
        inside = self.protocol.inside(self.session.codes, name)
        np.testing.assert_array_equal(inside, self.protocol.inside(self.session.proposal, name))
        self.stepped(state)

    @rule(corner=boxes(), code=st.integers(0, 4))
    def put_voxels(self, corner, code: int) -> None:
        state = self.session.state
        where = np.nonzero(covered(*corner))
        self.session.put(where, min(code, self.protocol.highest_code), "voxels")
        self.stepped(state)

    @rule()
    def undo(self) -> None:
        could = self.session.can_undo
        label = self.session.undo_label
        assert self.session.undo() == (label if could else None)
        self.at -= could
        self.check_step()
        self.group = None

    @rule()
    def redo(self) -> None:
        assert self.session.can_redo == (self.at < len(self.steps) - 1)
        if self.session.redo() is not None:
            self.at += 1
        self.check_step()
        self.group = None

    @rule()
    def save(self) -> None:
        self.session.mark_saved()
        self.saved = self.session.state
        self.group = None

    @precondition(lambda self: self.at == len(self.steps) - 1)
    @rule()
    def all_the_way_back_and_again(self) -> None:
        depth, last = self.session.undo_depth, self.session.codes.copy()
        while self.session.can_undo:
            self.session.undo()
        np.testing.assert_array_equal(self.session.codes, self.steps[self.at - depth][0])
        while self.session.can_redo:
            self.session.redo()
        np.testing.assert_array_equal(self.session.codes, last)
        self.group = None

    def check_step(self) -> None:
        codes, proposal = self.steps[self.at]
        np.testing.assert_array_equal(self.session.codes, codes)
        np.testing.assert_array_equal(self.session.proposal, proposal)

    @invariant()
    def only_known_codes_and_nested_regions(self) -> None:
        if not hasattr(self, "session"):
            return
        codes = self.session.codes
        assert codes.max() <= self.protocol.highest_code
        for region in self.protocol.regions:
            if region.parent:
                inside = self.protocol.inside(codes, region.name)
                assert not (inside & ~self.protocol.inside(codes, region.parent)).any()

    @invariant()
    def listeners_know_every_voxel(self) -> None:
        if hasattr(self, "session"):
            np.testing.assert_array_equal(self.mirror, self.session.codes)

    @invariant()
    def counts_are_right(self) -> None:
        if not hasattr(self, "session"):
            return
        codes, proposal = self.both()
        for name, edits in self.session.edit_counts().items():
            now, then = (self.protocol.inside(c, name) for c in (codes, proposal))
            assert edits == {"added": (now & ~then).sum(), "removed": (then & ~now).sum()}
        volumes = annotation(codes, self.protocol).volumes_ml
        assert self.session.volumes_ml() == volumes

    @invariant()
    def memory_is_bounded_and_saved_is_known(self) -> None:
        if not hasattr(self, "session"):
            return
        session = self.session
        assert session.history_bytes <= session.history_limit_bytes or session.undo_depth <= 1
        assert session.is_saved == (session.state == self.saved)


Editing.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestEditing = Editing.TestCase


def test_siblings_are_painted_over_one_another_and_never_overlap() -> None:
    session = EditSession(annotation(protocol=FOREST))
    everywhere = Footprint((0, 0, 0), np.ones(SHAPE, bool))
    session.apply(Stroke("D", Mode.PAINT, everywhere))
    session.apply(Stroke("C", Mode.PAINT, everywhere))
    assert (session.codes == FOREST["C"].code).all()
    session.apply(Stroke("C", Mode.ERASE, everywhere))
    assert (session.codes == FOREST["A"].code).all()


@given(
    st.sampled_from(PROTOCOLS),
    st.integers(0, 9),
    st.sampled_from(list(Mode)),
    boxes(),
    st.booleans(),
    st.data(),
)
def test_the_outcome_told_of_a_stroke_is_what_the_stroke_then_does(
    protocol, seed, mode, footprint, limited, data
):
    session = EditSession(annotation(random_codes(seed, protocol), protocol))
    region = data.draw(st.sampled_from(protocol.regions)).name
    over = frozenset({0}) if limited else None
    stroke = Stroke(region, mode, Footprint(*footprint), over)
    before = session.codes.copy()
    told = session.outcome(stroke)
    np.testing.assert_array_equal(session.codes, before)
    assert session.undo_depth == 0
    session.apply(stroke)
    promised = np.zeros(SHAPE, bool)
    if told is not None:
        promised[told.box] = told.mask
    np.testing.assert_array_equal(session.codes != before, promised)


def test_a_frozen_session_has_no_outcome_to_tell_and_refuses_in_silence():
    session = EditSession(annotation())
    refused: list[str] = []
    session.on_refused.append(refused.append)
    stroke = Stroke("WT", Mode.PAINT, Footprint((0, 0, 0), np.ones((2, 2, 2), bool)))
    assert session.outcome(stroke) is not None
    session.freeze("somebody else works here")
    assert session.outcome(stroke) is None
    assert not refused
