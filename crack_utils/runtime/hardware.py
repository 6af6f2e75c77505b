"""The best precision and compiler (XLA) for this machine. Measured for the report's U-Net; see README, performance."""

import os
import platform
from pathlib import Path

# On two cores without AVX-512, compiling with XLA takes 4 to 12 s more, and then saves 0.03 to 0.1 s a picture of
# 128×160 to 256×256 pixels.
WORTH_COMPILING = 400  # pictures in all epochs of a training


def cpu_flags():
    """Return the instruction sets that Linux lists for this CPU; an empty set on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), ()))


def favoured(gpus, flags):
    """Return the settings with the fastest training on the given hardware.

    Parameters
    ----------
    gpus : int
        Number of GPUs.
    flags : set of str
        From `cpu_flags`.

    Returns
    -------
    precision : str
        A Keras dtype policy.
    xla : bool
    """
    if gpus:
        return "mixed_float16", True  # as in the report (R29, R42)
    if flags & {"amx_bf16", "avx512_bf16"}:
        return "mixed_bfloat16", False  # oneDNN has bfloat16 convolutions, XLA's CPU compiler does not
    # In float32, XLA is slower than oneDNN with AVX-512 (5.4 and 7.7 images/s) and faster without it (3.2 and 2.3).
    return "float32", bool(flags) and "avx512f" not in flags


def resolve(precision="auto", pictures=WORTH_COMPILING):
    """Return the dtype policy, and whether to compile with XLA, for this machine.

    Parameters
    ----------
    precision : str
        ``"auto"`` chooses by hardware; any other Keras dtype policy is returned unchanged.
    pictures : int
        In all epochs of the training. For fewer than `WORTH_COMPILING`, a CPU does not use XLA: to compile would take
        longer than it saves.

    Returns
    -------
    precision : str
    xla : bool
    """
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU"))
    best, xla = favoured(gpus, cpu_flags())
    xla = xla and (gpus > 0 or pictures >= WORTH_COMPILING)
    return (best, xla) if precision in ("auto", best) else (precision, False)


def describe():
    """Return a dictionary that describes the machine.

    It has CPU, cores, memory [GiB], GPUs, and what is best for long trainings: precision and XLA.
    """
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
