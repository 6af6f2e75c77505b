"""What the machine favours: precision and XLA. Measured for the report's U-Net; see README, performance."""

import os
import platform
from pathlib import Path


def cpu_flags():
    """Return the instruction sets that Linux names for this CPU; an empty set elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), ()))


def favoured(gpus, flags):
    """Return what trains fastest on given hardware.

    Parameters
    ----------
    gpus : int
    flags : set of str
        As `cpu_flags` gives.

    Returns
    -------
    precision : str
        A Keras dtype policy.
    xla : bool
    """
    if gpus:
        return "mixed_float16", True  # the report's way (R29, R42)
    if flags & {"amx_bf16", "avx512_bf16"}:
        return "mixed_bfloat16", False  # oneDNN has bfloat16 convolutions, XLA's CPU compiler does not
    # In float32, XLA is behind oneDNN where AVX-512 is (5.4 to 7.7 images/s) and ahead where it is not (3.2 to 2.3).
    return "float32", bool(flags) and "avx512f" not in flags


def resolve(precision="auto"):
    """Return the dtype policy and whether to compile with XLA here, keeping a precision that was asked for."""
    import tensorflow as tf

    best, xla = favoured(len(tf.config.list_physical_devices("GPU")), cpu_flags())
    return (best, xla) if precision in ("auto", best) else (precision, False)


def describe():
    """Return the machine in words: CPU, cores, memory [GiB], GPUs, and what it favours."""
    import psutil
    import tensorflow as tf

    gpus = [
        tf.config.experimental.get_device_details(g).get("device_name", "GPU")
        for g in tf.config.list_physical_devices("GPU")
    ]
    precision, xla = resolve()
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": gpus,
        "precision": precision,
        "xla": xla,
    }


def _cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
