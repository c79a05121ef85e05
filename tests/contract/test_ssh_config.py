"""Does SSH follow ~/.ssh/config, known_hosts and the SSH agent, as the user's own ssh does?"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.inventory.model import Login
from pytest_v6probe.transport.ssh import SshTransport

if TYPE_CHECKING:
    from tests.contract.conftest import Sshd

LOOPBACK = IPv6Address("::1")


@pytest.fixture
def config(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A configuration that is right for the sshd, with more in front."""
    known = tmp_path / "known_hosts"
    known.write_text(sshd.known_hosts)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/sh")

    def write(text: str = "") -> Path:
        file = tmp_path / "config"
        file.write_text(
            f"{text}\nHost *\n HostName ::1\n Port {sshd.port}\n IdentityFile {sshd.user_key_file}\n"
            f" UserKnownHostsFile {known}\n GlobalKnownHostsFile none\n"
        )
        return file

    return write


def connected(config_file: Path, host: str = "web") -> str:
    transport = SshTransport(Login(host=host), config_file=config_file)
    try:
        return transport.session().host_key_type
    finally:
        transport.close()


def test_the_configuration_leads_to_the_host(config: Callable[..., Path]):
    assert connected(config()) == "ssh-ed25519"


def test_hashed_lines_of_known_hosts_are_understood(config: Callable[..., Path], tmp_path: Path):
    subprocess.run(
        ["ssh-keygen", "-q", "-H", "-f", tmp_path / "known_hosts"],
        check=True,
        timeout=10,
        capture_output=True,
    )
    assert (tmp_path / "known_hosts").read_text().startswith("|1|")
    assert connected(config()) == "ssh-ed25519"


def test_a_host_key_alias_is_what_is_looked_for(
    sshd: Sshd, config: Callable[..., Path], tmp_path: Path
):
    file = config("Host web\n HostKeyAlias web-1\n")
    with pytest.raises(VantageUnreachable, match="in no known_hosts file"):
        connected(file)
    (tmp_path / "known_hosts").write_text(f"web-1 {sshd.host_key}\n")
    assert connected(file) == "ssh-ed25519"


def test_host_keys_are_checked_whatever_the_configuration_says(
    config: Callable[..., Path], tmp_path: Path
):
    (tmp_path / "known_hosts").write_text("")
    with pytest.raises(VantageUnreachable) as caught:
        connected(config("Host *\n StrictHostKeyChecking no\n"))
    assert caught.value.reason == "host-key-unknown"


def test_jumps_are_followed_one_after_another(config: Callable[..., Path]):
    assert connected(config("Host web\n ProxyJump one,two\n")) == "ssh-ed25519"


def test_a_jump_that_jumps_to_itself_is_refused(config: Callable[..., Path]):
    with pytest.raises(VantageUnreachable) as caught:
        connected(config("Host web\n ProxyJump " + ",".join("abcdefghi") + "\n"))
    assert caught.value.reason == "ssh-config"


def test_a_proxy_command_is_run(config: Callable[..., Path]):
    relay = (
        "import socket, sys, os, threading; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); "
        "t = threading.Thread(target=lambda: [s.sendall(b) for b in iter(lambda: os.read(0, 65536), b'')]); "
        "t.daemon = True; t.start(); [os.write(1, b) for b in iter(lambda: s.recv(65536), b'')]"
    )
    assert (
        connected(config(f'Host web\n ProxyCommand {sys.executable} -c "{relay}" %h %p\n'))
        == "ssh-ed25519"
    )


def test_a_proxy_command_that_fails_is_named(config: Callable[..., Path]):
    with pytest.raises(VantageUnreachable) as caught:
        connected(config("Host web\n ProxyCommand false\n"))
    assert caught.value.reason in {"closed", "not-ssh"}


@pytest.mark.parametrize(
    "text", ["Host web\n Port x\n", "Host web\n ProxyJump u@\n", "Host web\n Match\n"]
)
def test_a_configuration_that_cannot_be_meant_is_named(config: Callable[..., Path], text: str):
    with pytest.raises(VantageUnreachable) as caught:
        connected(config(text))
    assert caught.value.reason == "ssh-config"


def test_a_key_with_a_passphrase_is_named_with_the_cure(
    config: Callable[..., Path], tmp_path: Path
):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "locked"],
        check=True,
        timeout=20,
    )
    file = config()
    file.write_text(
        file.read_text().replace("IdentityFile ", f"IdentityFile {tmp_path}/locked\n # ")
    )
    with pytest.raises(VantageUnreachable, match=r"locked has a passphrase: ssh-add it") as caught:
        connected(file)
    assert caught.value.reason == "auth-refused"


def test_keys_in_the_ssh_agent_are_offered(
    sshd: Sshd, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = config()
    file.write_text(file.read_text().replace("IdentityFile", "# "))
    place = str(tmp_path / "agent")
    process = subprocess.Popen(
        [shutil.which("ssh-agent") or "ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 5
        while not Path(place).exists() and time.monotonic() < end:
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        subprocess.run(
            ["ssh-add", "-q", sshd.user_key_file], check=True, timeout=10, capture_output=True
        )
        assert connected(file) == "ssh-ed25519"
        with pytest.raises(VantageUnreachable, match="keys offered: none"):
            connected(config_with(file, "IdentitiesOnly yes"))
    finally:
        process.kill()
        process.wait()


def config_with(file: Path, line: str) -> Path:
    file.write_text(f"{line}\n" + file.read_text())
    return file
