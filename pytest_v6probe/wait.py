"""How long until something holds? The only place, besides the agent, that waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T], *, until: Callable[[T], bool], within_s: float, every_s: float = 0.2
) -> T:
    """Call *look* until *until* holds of what it returned, at most *within_s* seconds; return the
    last value either way.

    The caller asserts on the value, so a failure shows what was seen last. Raises whatever *look*
    raises.
    """
    end = time.monotonic() + within_s
    while True:
        seen = look()
        left = end - time.monotonic()
        if until(seen) or left <= 0:
            return seen
        time.sleep(min(every_s, left))
