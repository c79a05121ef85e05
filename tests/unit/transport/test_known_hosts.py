"""Are lines of known_hosts read as ssh reads them?"""

from __future__ import annotations

import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.transport import known_hosts
from pytest_v6probe.transport.known_hosts import KnownKey

BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32)
KEY = b64encode(BLOB).decode("ascii")


def speaks_of(hosts: str, host: str, port: int = 22) -> bool:
    (line,) = known_hosts.read(f"{hosts} ssh-ed25519 {KEY} comment\n")
    return line.is_for(host, port)


@pytest.mark.parametrize(
    ("hosts", "host", "port"),
    [
        ("2001:db8::1", "2001:db8::1", 22),
        ("2001:db8::1", "2001:DB8:0::1", 22),
        ("2001:0db8:0:0::1", "2001:db8::1", 22),
        ("[2001:db8::1]:2222", "2001:db8::1", 2222),
        ("[2001:DB8::0:1]:2222", "2001:db8::1", 2222),
        ("2001:db8::1", "2001:db8::1", 2222),
        ("fe80::1%eth0", "fe80::1%eth0", 22),
        ("bastion.example.com,192.0.2.1", "192.0.2.1", 22),
        ("Bastion.example.com", "bastion.EXAMPLE.com", 22),
        ("*.example.com", "a.example.com", 22),
        ("web-?", "web-1", 22),
        ("2001:db8:*", "2001:db8::7", 22),
    ],
)
def test_a_line_speaks_of_its_hosts(hosts: str, host: str, port: int):
    assert speaks_of(hosts, host, port)


@pytest.mark.parametrize(
    ("hosts", "host", "port"),
    [
        ("2001:db8::1", "2001:db8::2", 22),
        ("[2001:db8::1]:2222", "2001:db8::1", 22),
        ("[2001:db8::1]:2222", "2001:db8::1", 2223),
        ("*.example.com,!bad.example.com", "bad.example.com", 22),
        ("!a.example.com,*.example.com", "a.example.com", 22),
        ("web-[12]", "web-1", 22),
        ("fe80::1%eth0", "fe80::1%eth1", 22),
        ("|1|junk|more", "2001:db8::1", 22),
        ("|1|", "a", 22),
    ],
)
def test_a_line_does_not_speak_of_others(hosts: str, host: str, port: int):
    assert not speaks_of(hosts, host, port)


def test_lines_hashed_by_ssh_keygen_are_matched(tmp_path: Path):
    file = tmp_path / "known_hosts"
    file.write_text(f"2001:db8::1 ssh-ed25519 {KEY}\n[2001:db8::2]:2222 ssh-ed25519 {KEY}\n")
    subprocess.run(
        ["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True, timeout=20
    )
    first, second = known_hosts.read(file.read_text())
    assert first.hosts.startswith("|1|")
    assert (first.is_for("2001:db8::1", 22), second.is_for("2001:db8::2", 2222)) == (True, True)
    assert (first.is_for("2001:db8::2", 2222), second.is_for("2001:db8::2", 22)) == (False, False)


def test_a_file_is_read_line_by_line_and_nonsense_passed_over():
    text = f"# comment\n\n@revoked * ssh-ed25519 {KEY}\nshort line\na ssh-rsa ???\nb ssh-rsa AAAA x y\n@cert-authority\n"
    assert known_hosts.read(text, source="file") == [
        KnownKey(hosts="*", type="ssh-ed25519", blob=BLOB, marker="@revoked", source="file:3"),
        KnownKey(hosts="b", type="ssh-rsa", blob=b"\0\0\0", source="file:6"),
    ]


@given(st.text(), st.text())
def test_whatever_is_in_a_file_it_is_read(text: str, host: str):
    assert all(line.is_for(host, 22) in {True, False} for line in known_hosts.read(text))


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (f"a ssh-ed25519 {KEY}", "known"),
        ("", "unknown"),
        ("a ssh-rsa AAAA", "unknown"),
        ("a ssh-ed25519 AAAA", "changed"),
        (f"a ssh-ed25519 AAAA\na ssh-ed25519 {KEY}", "known"),
        (f"a ssh-ed25519 {KEY}\n@revoked a ssh-ed25519 {KEY}", "revoked"),
        (f"@cert-authority a ssh-ed25519 {KEY}", "unknown"),
    ],
)
def test_a_key_is_known_unknown_changed_or_revoked(lines: str, verdict: str):
    assert known_hosts.verdict(known_hosts.read(lines), "ssh-ed25519", BLOB) == verdict


def test_a_fingerprint_is_ssh_keygen_s(tmp_path: Path):
    file = tmp_path / "key.pub"
    file.write_text(f"ssh-ed25519 {KEY}\n")
    said = subprocess.run(
        ["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True, timeout=20
    ).stdout
    assert known_hosts.fingerprint(BLOB) == said.split()[1]


def test_the_advice_names_fingerprint_lines_and_command():
    known = known_hosts.read("[2001:db8::1]:2222 ssh-ed25519 AAAA", source="~/.ssh/known_hosts")
    said = {
        verdict: known_hosts.advice(verdict, known, "ssh-ed25519 key SHA256:x", "2001:db8::1", 2222)
        for verdict in ("unknown", "changed", "revoked")
    }
    assert "ssh-keyscan -p 2222 2001:db8::1 >> ~/.ssh/known_hosts" in said["unknown"]
    assert "ssh-keygen -R '[2001:db8::1]:2222'" in said["changed"]
    assert "~/.ssh/known_hosts:1" in said["changed"]
    assert said["revoked"] == "its ssh-ed25519 key SHA256:x is revoked in ~/.ssh/known_hosts:1"
