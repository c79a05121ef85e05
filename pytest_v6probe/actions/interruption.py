"""What becomes of a program that is told to end while something is changed? It ends, after that is put
back.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM are heeded at the end: between changing and holding, nobody would put it
    back.
    """
    if current_thread() is not main_thread():  # only that one is interrupted
        yield
        return
    heard: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: heard.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not None  # C's own, which could not be put back
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if heard:
            signal.raise_signal(heard[0])


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM (a job that is cancelled, or past its time) ends the run as Ctrl-C does, so that what
    was changed is put back. Somebody else's handler of it stays.
    """
    alone = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not alone or current_thread() is not main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
