"""Is a program that is told to end in the middle of a change ended after it, and in order?"""

from __future__ import annotations

import signal
from threading import Thread

import pytest

from pytest_v6probe.actions.interruption import ended_in_order, uninterrupted


def told_to_end(number, done):
    signal.raise_signal(number)
    done.append("all of it")


def test_ctrl_c_is_heeded_at_the_end():
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        told_to_end(signal.SIGINT, done)
    assert done == ["all of it"]


def test_sigterm_ends_as_ctrl_c_does_where_nobody_else_handles_it():
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), ended_in_order(), uninterrupted():
        told_to_end(signal.SIGTERM, done)
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_handlers_are_those_from_before_afterwards():
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    with ended_in_order(), uninterrupted():
        pass
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_thread_that_cannot_be_interrupted_needs_no_guard():
    done: list[str] = []

    def change():
        with ended_in_order(), uninterrupted():
            done.append("all of it")

    thread = Thread(target=change)
    thread.start()
    thread.join()
    assert done == ["all of it"]
