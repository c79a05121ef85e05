"""Which nameserver is this machine's own, of one family?"""

from __future__ import annotations

import io

import pytest

from pytest_v6probe.agent import payload

STUB = b"nameserver 127.0.0.53\noptions edns0 trust-ad\n"
UPSTREAM = b"# by networkd\nnameserver 10.0.0.2\nnameserver fd00:ec2::253\n"


@pytest.fixture
def machine(monkeypatch):
    """The files of a machine; what is not there cannot be opened."""
    files: dict[str, bytes] = {}

    def opened(path, mode):
        assert mode == "rb"
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return io.BytesIO(files[path])

    monkeypatch.setattr(payload, "open", opened, raising=False)
    return files


@pytest.mark.parametrize(("family", "expected"), [(6, "fd00:ec2::253"), (4, "10.0.0.2")])
def test_the_first_one_of_the_family_is_taken(machine, family, expected):
    machine["/etc/resolv.conf"] = UPSTREAM
    assert payload.nameserver(family) == expected


def test_behind_systemd_resolved_it_is_that_ones_own(machine):
    machine["/etc/resolv.conf"] = STUB
    machine["/run/systemd/resolve/resolv.conf"] = UPSTREAM
    assert payload.nameserver(6) == "fd00:ec2::253"


def test_another_server_on_the_loopback_is_taken_at_its_word(machine):
    machine["/etc/resolv.conf"] = b"nameserver 127.0.0.1\n"
    machine["/run/systemd/resolve/resolv.conf"] = UPSTREAM
    assert payload.nameserver(4) == "127.0.0.1"


@pytest.mark.parametrize(
    "text", [b"", b"nameserver\n", b"nameserver 10.0.0.2\n", b"search fd00::1\n"]
)
def test_without_one_the_outcome_says_so(machine, text):
    machine["/etc/resolv.conf"] = text
    with pytest.raises(payload.Ended) as ended:
        payload.nameserver(6)
    assert ended.value.args[0] == "no-nameserver"


def test_without_the_file_the_outcome_says_so(machine):
    with pytest.raises(payload.Ended) as ended:
        payload.nameserver(6)
    assert ended.value.args == ("no-nameserver", "ENOENT")
