"""Does the keeper's loop resume each task when, and only when, what it waits for has come?"""

from __future__ import annotations

import os
import time

from pytest_v6probe.lab.loop import Loop, Task, Until, pause


def run(*tasks: Task[None], loop: Loop) -> None:
    for task in tasks:
        loop.start(task)
    loop.run()


def test_a_task_that_waits_for_time_lets_the_others_run():
    loop, seen = Loop(), []

    def sleeper(name: str, seconds: float, *, last: bool = False) -> Task[None]:
        yield from pause(seconds)
        seen.append(name)
        if last:
            loop.stop()

    run(sleeper("slow", 0.06, last=True), sleeper("quick", 0.01), loop=loop)
    assert seen == ["quick", "slow"]


def test_a_task_learns_whether_its_descriptor_was_ready_or_the_time_was_up():
    loop, seen = Loop(), []
    reader, writer = os.pipe()

    def waiter() -> Task[None]:
        seen.append((yield Until(fd=reader, timeout_s=0.02)))
        os.write(writer, b"x")
        seen.append((yield Until(fd=reader, timeout_s=5)))
        loop.stop()

    began = time.monotonic()
    run(waiter(), loop=loop)
    os.close(reader)
    os.close(writer)
    assert seen == [False, True]
    assert time.monotonic() - began < 1


def test_an_old_timer_does_not_wake_a_task_that_waits_for_something_else():
    loop, seen = Loop(), []
    reader, writer = os.pipe()
    os.write(writer, b"x")

    def waiter() -> Task[None]:
        seen.append((yield Until(fd=reader, timeout_s=0.02)))
        os.read(reader, 1)
        seen.append((yield Until(fd=reader, timeout_s=0.1)))
        loop.stop()

    began = time.monotonic()
    run(waiter(), loop=loop)
    os.close(reader)
    os.close(writer)
    assert seen == [True, False]
    assert time.monotonic() - began >= 0.1


def test_a_task_that_never_waits_is_over_when_it_is_started():
    loop, seen = Loop(), []

    def stopper() -> Task[None]:
        seen.append("ran")
        loop.stop()
        yield from ()

    run(stopper(), loop=loop)
    assert seen == ["ran"]


def test_tasks_compose_and_hand_back_values():
    loop, seen = Loop(), []

    def inner() -> Task[int]:
        yield from pause(0)
        return 42

    def outer() -> Task[None]:
        seen.append((yield from inner()))
        loop.stop()

    run(outer(), loop=loop)
    assert seen == [42]
