"""Are programs started with what they were given, and is their end noticed?"""

from __future__ import annotations

import os
import signal
import time

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import process
from pytest_v6probe.lab.process import Processes


def ended(processes: Processes, pid: int) -> int:
    until = time.monotonic() + 5
    while pid not in processes.ended:
        assert time.monotonic() < until
        processes.reap()
        time.sleep(0.005)
    return processes.ended[pid]


def test_output_and_errors_go_to_the_log(tmp_path):
    processes, log = Processes(), tmp_path / "log"
    status = ended(
        processes, processes.start(("sh", "-c", "echo out; echo err >&2; exit 3"), output=log)
    )
    assert (status, log.read_text()) == (3, "out\nerr\n")


def test_a_killed_program_counts_as_a_shell_counts_it():
    processes = Processes()
    pid = processes.start(("sleep", "60"))
    processes.kill(pid)
    assert ended(processes, pid) == 128 + signal.SIGKILL
    processes.kill(pid)  # it is gone: nothing to do, and no error


def test_a_program_gets_the_streams_it_is_given():
    processes = Processes()
    theirs, ours = os.pipe()
    said, says = os.pipe()
    pid = processes.start(("cat",), streams=(theirs, says, says))
    os.write(ours, b"hello")
    for fd in (theirs, ours, says):
        os.close(fd)
    status, text = ended(processes, pid), os.read(said, 100)
    os.close(said)
    assert (status, text) == (0, b"hello")


def test_a_program_sees_nothing_of_the_users_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    processes, log = Processes(), tmp_path / "log"
    ended(processes, processes.start(("env",), output=log))
    assert "SECRET" not in log.read_text()


def test_a_program_that_is_not_here_is_an_error_that_names_the_doctor():
    with pytest.raises(LabError, match="no-such-program is not installed; `v6probe doctor`"):
        Processes().start(("no-such-program",))


def test_the_tail_of_a_log_is_its_end(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"x" * 5000 + b"\xff last words\n")
    assert process.tail(log).endswith("x\ufffd last words")
    assert len(process.tail(log)) <= process.TAIL_BYTES
    assert process.tail(tmp_path / "none") == ""
