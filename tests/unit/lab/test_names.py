"""Are labs found by the sockets of the machine, and are bad names refused?"""

from __future__ import annotations

import os
import socket
import uuid

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import names

SOCKETS = """Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0005 01 12345 @v6probe-aws
0000000000000000: 00000003 00000000 00000000 0005 03 12346 @v6probe-aws
0000000000000000: 00000002 00000000 00010000 0005 01 12347 @v6probe-b.2
0000000000000000: 00000002 00000000 00010000 0001 01 12348 /run/v6probe-file
0000000000000000: 00000002 00000000 00010000 0001 01 12349
"""


def test_labs_are_the_abstract_sockets_with_our_prefix():
    assert names.up(SOCKETS) == ("aws", "b.2")


def test_a_bound_name_is_seen_until_it_is_closed():
    name = f"test-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(names.address(name))
        during = name in names.up()
    assert (during, name in names.up()) == (True, False)


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "ü", "a\0b", "a" * 81, ".hidden", "a\n"])
def test_names_that_would_not_be_read_back_are_refused(name: str):
    with pytest.raises(LabError, match="cannot be the name of a lab"):
        names.check(name)


@pytest.mark.parametrize("name", ["aws", "v6probe-0af3", "a", "A.b_c-9", "a" * 80])
def test_ordinary_names_are_taken(name: str):
    names.check(name)
    assert names.address(name).endswith(name)


def test_the_keeper_of_no_lab_is_an_error():
    with pytest.raises(LabError, match="no lab named"):
        names.keeper_pid("test-nobody")


def test_a_process_that_is_no_child_of_the_keeper_is_an_error():
    with pytest.raises(LabError, match="has no process 4194304"):
        names.outside_pid(os.getpid(), 4194304)
