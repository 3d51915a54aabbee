"""What the Case section says about a case."""

from __future__ import annotations

from ...case import Case


def summary(case: Case) -> str:
    """One line of facts: contrasts missing, voxels, spacing, oblique or not."""
    grid = case.grid
    size = " × ".join(str(n) for n in case.source.grid.shape)
    spacing = " × ".join(f"{s:.3g}" for s in case.source.grid.spacing)
    facts = [f"{size} voxels of {spacing} mm"]
    if grid.is_oblique:
        facts.append(f"oblique by {grid.obliquity_deg:.1f}° (drawn straight)")
    if case.missing:
        facts.append(f"missing: {', '.join(case.missing)}")
    return ", ".join(facts)


def waiting_labels(case: Case) -> str:
    """What the button says that opens the label files beside a case; empty without any."""
    if len(case.labels) > 1:
        return f"Open one of {len(case.labels)} segmentations found…"
    return f"Open {case.labels[0].path.name}…" if case.labels else ""
