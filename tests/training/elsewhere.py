"""A device that is not there: tensors on it are computed here, and may not meet those here.

Stands in for a graphics card. As on one, an operation with tensors of both is an error, and so is
taking what lies there for an array; moving is not, nor is a single number, nor indices from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map

#: Nothing else uses this one, and torch knows it on every machine.
DEVICE = torch.device("meta")

_MOVING = (torch.ops.aten._to_copy, torch.ops.aten.copy_)
_INDEXING = (torch.ops.aten.index, torch.ops.aten.index_put_, torch.ops.aten._index_put_impl_)


class Away(Tensor):
    """A tensor that says it is on `DEVICE`; its numbers are in `here`."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> Away:
        away = torch.Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=DEVICE,
        )
        away.here = here
        return away

    def tolist(self) -> Any:
        """Plain numbers; torch's own knows no kinds of tensors but its own."""
        return self.here.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


@contextmanager
def elsewhere() -> Iterator[None]:
    """While it is entered, tensors can be made on `DEVICE`."""
    with _Operations(), _Literals():
        yield


class _Literals(TorchFunctionMode):
    """`torch.tensor` moves its numbers unseen by `_Operations`."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.tensor and kwargs.get("device") is not None:
            device = torch.device(kwargs.pop("device"))
            return func(*args, **kwargs).to(device)
        return func(*args, **kwargs)


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    given = [value for value in tree_iter((args, kwargs)) if isinstance(value, Tensor)]
    away = [value for value in given if isinstance(value, Away)]
    packet = func.overloadpacket
    mixed = [value for value in given if not isinstance(value, Away) and value.dim() > 0]
    if packet in _INDEXING and isinstance(args[0], Away):
        mixed = [value for value in mixed if value is not args[0] and value.is_floating_point()]
    if away and mixed and packet not in _MOVING:
        raise AssertionError(f"{func} mixes tensors of two devices")
    wanted = kwargs.get("device")
    if wanted is not None:
        there = torch.device(wanted) == DEVICE
        kwargs = {**kwargs, "device": torch.device("cpu")}
    else:
        there = isinstance(args[0], Away) if packet in _MOVING else bool(away)
    owners = {id(value.here): value for value in away}
    inner = tree_map(lambda value: value.here if isinstance(value, Away) else value, (args, kwargs))
    made = func(*inner[0], **inner[1])

    def told(value: Any) -> Any:
        if not isinstance(value, Tensor) or not there:
            return value
        return owners.get(id(value)) if id(value) in owners else Away(value)

    return tree_map(told, made)
