"""Is what came back shown in one printable line, and read without trust in its shape?"""

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Endpoint, Path
from tests.unit.probes.seen import HOST, LOCAL


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        (b"plain", "plain"),
        ("plain", "plain"),
        (b"two\nlines\x1b[2J", "two\\nlines\\x1b[2J"),
        (b"\xff", "\\xff"),
        (b"x" * 500, "x" * 159 + "…"),
    ],
)
def test_shown(octets, line):
    assert replies.shown(octets) == line


def test_said():
    reply = Reply("refused", b"abc", LOCAL, Endpoint(HOST, 80), 0.0123, {"detail": "ECONNREFUSED"})
    assert (
        replies.said(reply)
        == f"refused (ECONNREFUSED) with 3 octets from [{HOST}]:80 after 12.3 ms"
    )


def test_nobody_reached_is_no_path():
    assert replies.path_of(None, ()) is None
    assert replies.path_of(Endpoint(HOST), ()) is Path.NATIVE


@pytest.mark.parametrize("files", [None, 7, ["x"], {"/etc/x": 7}, {"/etc/x": "a"}])
def test_files_that_are_none_are_none(files):
    assert replies.files(Reply("answered", fields={"files": files})) == {}
