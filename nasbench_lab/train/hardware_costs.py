"""Measuring what a network costs to run: latency, peak memory and energy."""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.train.complexity import restored

_RAPL = Path("/sys/class/powercap")


@dataclasses.dataclass(frozen=True)
class HardwareCosts:
    """The costs of classifying images.

    Attributes:
        latency_1: median seconds for one image.
        latency_256: median seconds for a batch of 256 images.
        peak_memory: largest number of bytes in tensors while classifying 256 images, besides weights and images.
        energy: joules of the whole processor or GPU for a batch of 256 images; None where it cannot be measured.
    """

    latency_1: float
    latency_256: float
    peak_memory: int
    energy: float | None


def measure_costs(
    network: nn.Module, image: tuple[int, int, int], *, device: str = "cpu", passes: int = 30
) -> HardwareCosts:
    """Measure what a network costs to run, in evaluation mode; its modes and weights are unchanged afterwards.

    On an NVIDIA GPU, torch's counter of the peak memory starts again.

    Args:
        network: is moved to the device.
        image: channels, height and width.
        device: name of a torch device.
        passes: number of times that each batch is run, after three runs that are not counted.

    Raises:
        ParameterError: ``passes`` is not a whole number of at least 1.

    >>> costs = measure_costs(nn.Flatten(), (1, 8, 8), passes=3)
    >>> 0 < costs.latency_1 < 1
    True
    """
    whole("passes", passes, AtLeast(1))
    place = torch.device(device)
    moved = network.to(place)
    one, many = (torch.zeros(batch, *image, device=place) for batch in (1, 256))
    with restored(moved), torch.inference_mode():
        moved.eval()
        latency_1 = latency(lambda: moved(one), place, passes)
        latency_256 = latency(lambda: moved(many), place, passes)
        memory = peak_memory(lambda: moved(many), place)
        with EnergyMeter(place) as meter:
            for _ in range(passes):
                moved(many)
            _wait(place)
    return HardwareCosts(latency_1, latency_256, memory, None if meter.joules is None else meter.joules / passes)


def latency(run: Callable[[], Any], device: torch.device, passes: int) -> float:
    """Return the median seconds of a call, after three calls that are not counted."""
    for _ in range(3):
        run()
    times = []
    for _ in range(passes):
        _wait(device)
        start = time.perf_counter()
        run()
        _wait(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peak_memory(run: Callable[[], Any], device: torch.device) -> int:
    """Return the largest number of bytes in tensors during a call, besides those that existed before.

    On an NVIDIA GPU, the allocator counts them, including the workspaces of layers. On other devices they are counted
    tensor by tensor.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return int(torch.cuda.max_memory_allocated(device) - before)
    with _TensorMemory() as memory:
        run()
    return memory.peak


class _TensorMemory(TorchDispatchMode):
    """Counts the bytes of the storages that are created inside the block and not yet freed."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._now = 0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {_address(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)}
        outputs = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(outputs):
            if isinstance(leaf, torch.Tensor) and _address(leaf) not in given:  # not a view of an input
                self._add(leaf.untyped_storage())
        return outputs

    def _add(self, storage: torch.UntypedStorage) -> None:
        if storage in self._known:
            return
        size = storage.nbytes()
        self._known.add(storage)
        self._now += size
        self.peak = max(self.peak, self._now)
        weakref.finalize(storage, self._subtract, size)

    def _subtract(self, size: int) -> None:
        self._now -= size


def _address(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr())


class EnergyMeter(contextlib.AbstractContextManager["EnergyMeter"]):
    """Measures the energy that a device consumes inside the block, including that of other processes.

    On CPUs it reads Linux's counters of the processor packages (powercap, RAPL), which usually need root permissions;
    on NVIDIA GPUs the counter of NVML, which needs the package ``nvidia-ml-py``.

    Attributes:
        joules: the energy; None where it cannot be measured.
    """

    def __init__(self, device: torch.device) -> None:
        self.joules: float | None = None
        self._device = device
        self._start: dict[str, float] = {}

    def __enter__(self) -> EnergyMeter:  # noqa: PYI034 - Self does not fit the base class in Python 3.11's stubs
        self._start = dict(self._read())
        return self

    def __exit__(self, *_: object) -> None:
        end = dict(self._read())
        # A counter that is smaller than before has wrapped around, so the difference is unknown.
        if self._start and all(end.get(name, -1.0) >= value for name, value in self._start.items()):
            self.joules = sum(end[name] - value for name, value in self._start.items())

    def _read(self) -> Iterator[tuple[str, float]]:
        """Yield the counters of the device, in joules."""
        if self._device.type == "cuda":
            yield from _gpu_counter(self._device.index or 0)
        elif self._device.type == "cpu":
            for counter in sorted(_RAPL.glob("*-rapl:[0-9]*/energy_uj")):
                if counter.parent.name.count(":") == 1:  # a package, not a part of one
                    with contextlib.suppress(OSError, ValueError):
                        yield counter.parent.name, int(counter.read_text(encoding="ascii")) / 1e6


def _gpu_counter(index: int) -> Iterator[tuple[str, float]]:
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            joules = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # pynvml or the driver is missing, or the GPU has no counter
        return
    yield f"cuda:{index}", joules


def _wait(device: torch.device) -> None:
    """Wait until the device has finished all its work."""
    if device.type != "cpu":
        getattr(torch, device.type).synchronize(device)
