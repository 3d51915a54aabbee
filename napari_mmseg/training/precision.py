"""Which arithmetic a training on this processor runs in: what a short measurement finds faster.

bfloat16 halves the memory traffic and is twice as fast on processors with a unit for it; on others
its convolutions are slower than those in single precision (64 against 91 GFLOP/s a core on an Intel
Xeon with AVX512-BF16 and no AMX, torch 2.13), whatever flags the processor names. So it is timed.
"""

from __future__ import annotations

from functools import cache
from time import thread_time

import torch
from torch import nn

PRECISIONS = ("auto", "bf16", "fp32")

#: bfloat16 rounds, so it has to be this much faster to be taken.
WORTHWHILE = 1.1

CHANNELS = 16
EDGE = 40  # voxels of the cube that is convolved
ROUNDS = 3


def resolve(precision: str) -> str:
    """`bf16` or `fp32`: as asked for, or what is faster here where `auto` is."""
    return fastest() if precision == "auto" else precision


@cache
def fastest() -> str:
    """The faster precision, measured once in a process (about 0.3 s)."""
    seconds = {name: _seconds(dtype) for name, dtype in _DTYPES.items()}
    return "bf16" if seconds["bf16"] * WORTHWHILE < seconds["fp32"] else "fp32"


_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def _seconds(dtype: torch.dtype) -> float:
    """Least processor time of one convolution forward and backward: others' work does not count."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        layer = nn.Conv3d(CHANNELS, CHANNELS, 3, padding=1).to(dtype)
        layer.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        image = torch.ones(1, CHANNELS, EDGE, EDGE, EDGE, dtype=dtype)
        image = image.contiguous(memory_format=torch.channels_last_3d).requires_grad_()
        taken = []
        for _ in range(ROUNDS):
            before = thread_time()
            layer(image).sum().backward()
            taken.append(thread_time() - before)
        return min(taken)
    finally:
        torch.set_num_threads(threads)
