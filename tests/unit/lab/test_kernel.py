"""Does the package ask the kernel what it says it asks?"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

from pytest_v6probe.lab import kernel


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_inotify_instances_are_counted_until_the_kernel_gives_no_more(monkeypatch):
    answers = iter((os.open("/dev/null", os.O_RDONLY), -1))
    monkeypatch.setattr(kernel, "_libc", SimpleNamespace(inotify_init1=lambda _: next(answers)))
    assert kernel.spare_inotify_instances(3) == 1


def test_spare_inotify_instances_are_counted_up_to_what_is_wanted_and_given_back():
    before = descriptors()
    assert kernel.spare_inotify_instances(3) == 3
    assert descriptors() == before
