"""Which device to compute on, and in which precision."""

import os
import platform
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]
CPU_BATCH = 64  # faces per pass where no trunk says otherwise
CUDA_BATCH = 1024


def choose_device(wanted: str = "auto") -> torch.device:
    """'auto' takes CUDA when there is one. Raises ValueError for a device that is not here."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError("There is no CUDA device here. Use --device cpu, or leave --device out.")
    if wanted not in ("cpu", "cuda"):
        raise ValueError(f"Unknown device '{wanted}'. Use auto, cpu or cuda.")
    return torch.device(wanted)


def choose_precision(device: torch.device, wanted: str = "auto") -> Precision:
    """bf16 where the hardware multiplies it natively: CUDA from Ampere on, CPUs with AMX tiles.

    Only trunks run in bf16; heads always run in fp32. docs/models/compact.md states how far the results move.
    """
    if wanted in ("fp32", "bf16"):
        return wanted  # type: ignore[return-value]
    if wanted != "auto":
        raise ValueError(f"Unknown precision '{wanted}'. Use auto, fp32 or bf16.")
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if torch.cpu._is_amx_tile_supported() else "fp32"


@contextmanager
def batch_pool(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """Threads to compute batches in: one on CUDA, one per core on CPUs.

    On CPUs each batch then runs on a single core. Cores that share a batch wait for each other after every layer, which
    costs a fifth on an idle machine and far more on a busy one.
    """
    before = torch.get_num_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        if device.type == "cuda":
            with ThreadPoolExecutor(1) as pool:
                yield pool
        else:
            torch.set_num_threads(1)
            with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                yield pool
    finally:
        torch.set_num_threads(before)


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def hardware(device: torch.device) -> dict[str, str | int]:
    """What the manifest says about the machine: no host names, no paths."""
    facts: dict[str, str | int] = {"device": device.type, "processor": _processor(), "cores": os.cpu_count() or 1}
    if device.type == "cuda":
        facts["accelerator"] = torch.cuda.get_device_name(device)
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
