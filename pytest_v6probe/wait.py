"""How long until something holds? The only place, besides the agent, that waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T],
    *,
    until: Callable[[T], bool],
    within_s: float,
    every_s: float = 0.2,
    held_s: float = 0.0,
) -> T:
    """Call *look* until *until* has held of what it returned for *held_s* seconds, at every look; return
    the last value. Where that does not begin within *within_s* seconds, the last value as well.

    The caller asserts on the value, so a failure shows what was seen last. Raises whatever *look*
    raises.
    """
    end = time.monotonic() + within_s
    begun = None
    while True:
        seen = look()
        now = time.monotonic()
        begun = (begun or now) if until(seen) else None
        left = (end if begun is None else begun + held_s) - now
        if left <= 0:
            return seen
        time.sleep(min(every_s, left))
