"""How long does one act take? The median of several, after one that warms up."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def timed(
    act: Callable[[], object], *, rounds: int, afterwards: Callable[[], object] = lambda: None
) -> float:
    """Seconds that *act* takes; *afterwards* follows each, and does not count."""
    taken = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
        afterwards()
    return median(taken[1:])
