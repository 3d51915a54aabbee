"""One step of CMFT: two generators and two discriminators learn from unlabelled volumes.

Zhang et al., Pattern Recognition 110:107562, 2021: least-squares GAN and 10 times the L1 of the
cycle, both ways, discriminators shown a pool of the last 10 made pairs, Adam at 1e-4. The first
moment's decay of 0.5 is CycleGAN's (Zhu et al., ICCV 2017), whose scheme this is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_mmseg.models.networks.cmft import Discriminator, Transition, split_pairs
from napari_mmseg.training.simulate.chance import Chance

CYCLE_WEIGHT = 10.0
POOL_SIZE = 10
LEARNING_RATE = 1e-4
MOMENTS = (0.5, 0.999)
RENEW_SHARE = 0.5  # how often a made pair is shown itself, not one of the pool


class ImagePool:
    """The last made pairs, so that a discriminator does not forget what it has seen.

    Kept in half precision (84 MB at 10 pairs of 128^3), in every run, so that a resumed one goes
    on exactly.
    """

    def __init__(self, size: int = POOL_SIZE) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def exchange(self, made: Tensor, chance: Chance) -> Tensor:
        """`made` goes into the pool; it comes back itself, or an older one that it displaces."""
        kept = made.detach().half()
        if len(self.images) < self.size:
            self.images.append(kept)
        elif not chance.happens(RENEW_SHARE):
            place = chance.integer(0, self.size)
            kept, self.images[place] = self.images[place], kept
        return kept.to(made.dtype)


class Cycle:
    """All that a CMFT run learns, and the step that teaches it.

    `bf16` runs the networks in bfloat16 (losses and weights stay in fp32). `normalisation` and
    `resize` are told to whoever uses the generators.
    """

    def __init__(
        self,
        base: int = 16,
        levels: int = 5,
        learning_rate: float = LEARNING_RATE,
        bf16: bool = True,
        device: str = "cpu",
        normalisation: str = "robust",
        resize: tuple[int, int, int] | None = None,
    ) -> None:
        self.device, self.bf16 = device, bf16
        self.transition = Transition(base, levels, normalisation, resize).to(device)
        #: Of pair A and of pair B.
        self.judges = nn.ModuleList([Discriminator(base), Discriminator(base)]).to(device)
        self.pools = (ImagePool(), ImagePool())
        for networks in (self.transition, self.judges):
            # The layout that the processor's convolutions are made for, as in `loop.Stepper`.
            networks.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self._makers = torch.optim.Adam(
            self.transition.parameters(), lr=learning_rate, betas=MOMENTS
        )
        self._critics = torch.optim.Adam(self.judges.parameters(), lr=learning_rate, betas=MOMENTS)

    def step(self, volumes: Tensor, chance: Chance) -> dict[str, float]:
        """Learn from volumes (N, 4, I, P, L); the losses before the step.

        `fooling` and `cycle` are the generators', `judging` the discriminators'; `loss` is what
        the generators minimise.
        """
        first, second = (
            pair.contiguous(memory_format=torch.channels_last_3d)
            for pair in split_pairs(volumes.to(self.device))
        )
        self.judges.requires_grad_(False)
        with self._precision():
            made_second = self.transition.forth(first)
            made_first = self.transition.back(second)
            again_first = self.transition.back(made_second)
            again_second = self.transition.forth(made_first)
            verdicts = [
                judge(made)
                for judge, made in zip(self.judges, (made_first, made_second), strict=True)
            ]
        fooling = sum((_is_called(verdict, 1.0) for verdict in verdicts), start=first.new_zeros(()))
        cycle = functional.l1_loss(again_first.float(), first)
        cycle = cycle + functional.l1_loss(again_second.float(), second)
        loss = fooling + CYCLE_WEIGHT * cycle
        self._makers.zero_grad()
        loss.backward()
        self._makers.step()

        self.judges.requires_grad_(True)
        judging = first.new_zeros(())
        sides = zip(
            self.judges, self.pools, (first, second), (made_first, made_second), strict=True
        )
        for judge, pool, true, made in sides:
            shown = pool.exchange(made.float(), chance)
            with self._precision():
                on_true, on_made = judge(true), judge(shown)
            judging = judging + (_is_called(on_true, 1.0) + _is_called(on_made, 0.0)) / 2
        self._critics.zero_grad()
        judging.backward()
        self._critics.step()
        return {
            "loss": float(loss.detach()),
            "fooling": float(fooling.detach()),
            "cycle": float(cycle.detach()),
            "judging": float(judging.detach()),
        }

    def state(self) -> dict[str, Any]:
        """Tensors and plain values; `load` of it goes on exactly."""
        return {
            "transition": self.transition.state_dict(),
            "judges": self.judges.state_dict(),
            "makers": self._makers.state_dict(),
            "critics": self._critics.state_dict(),
            "pools": [list(pool.images) for pool in self.pools],
        }

    def load(self, state: dict[str, Any]) -> None:
        self.transition.load_state_dict(state["transition"])
        self.judges.load_state_dict(state["judges"])
        self._makers.load_state_dict(state["makers"])
        self._critics.load_state_dict(state["critics"])
        for pool, images in zip(self.pools, state["pools"], strict=True):
            pool.images = [image.to(self.device) for image in images]

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device, torch.bfloat16, enabled=self.bf16)


def _is_called(verdict: Tensor, truth: float) -> Tensor:
    """Least squares: how far a discriminator's patches are from `truth` (1 true, 0 made)."""
    return (verdict.float() - truth).square().mean()
