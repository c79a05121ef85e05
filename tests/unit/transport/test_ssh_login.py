"""Is the user's ssh configuration followed as ssh follows it?"""

from __future__ import annotations

import getpass
from ipaddress import ip_address
from pathlib import Path

import paramiko
import pytest

from pytest_v6probe.inventory.model import Login
from pytest_v6probe.transport import ssh_login
from pytest_v6probe.transport.ssh_login import Plan

LITERAL = ip_address("2600:1f18:d:f70a:8204:7788:7feb:7892")


def planned(login: Login, text: str) -> Plan:
    config = paramiko.SSHConfig.from_text(ssh_login.with_login(login, text))
    return ssh_login.plan(login, config.lookup)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def test_without_a_configuration_there_are_ssh_s_own_defaults(home: Path):
    assert planned(Login(host=LITERAL), "") == Plan(
        host=str(LITERAL),
        port=22,
        user=getpass.getuser(),
        host_key_name=str(LITERAL),
        host_key_port=22,
        key_files=tuple(home / ".ssh" / name for name in ("id_ed25519", "id_ecdsa", "id_rsa")),
        use_agent=True,
        known_hosts_files=(
            home / ".ssh/known_hosts",
            home / ".ssh/known_hosts2",
            Path("/etc/ssh/ssh_known_hosts"),
            Path("/etc/ssh/ssh_known_hosts2"),
        ),
    )


def test_every_option_is_followed(home: Path):
    text = """
Host web
  HostName 2001:db8::1
  User ec2-user
  Port 2222
  IdentityFile ~/keys/one
  IdentityFile /keys/two
  IdentitiesOnly yes
  UserKnownHostsFile ~/kh
  GlobalKnownHostsFile none
  HostKeyAlias web-1
  ProxyJump me@[2001:db8::2]:2200,bastion.example.com
"""
    assert planned(Login(host="web"), text) == Plan(
        host="2001:db8::1",
        port=2222,
        user="ec2-user",
        host_key_name="web-1",
        host_key_port=22,
        key_files=(home / "keys/one", Path("/keys/two")),
        use_agent=False,
        known_hosts_files=(home / "kh",),
        jumps=(Login(host="2001:db8::2", user="me", port=2200), Login(host="bastion.example.com")),
    )


def test_the_login_s_own_words_come_first():
    plan = planned(Login(host="web", user="root", port=22), "Host *\n User x\n Port 99\n")
    assert (plan.user, plan.port, plan.host_key_port) == ("root", 22, 22)


def test_a_proxy_command_knows_host_port_and_user():
    text = "Host *\n ProxyCommand nc -6 -l %r -p %p %h\n HostName 2001:db8::1\n"
    plan = planned(Login(host="web", user="root", port=2022), text)
    assert plan.proxy_command == "nc -6 -l root -p 2022 2001:db8::1"
    assert planned(Login(host="web"), "Host *\n ProxyCommand none\n").proxy_command == ""


def test_literals_match_host_patterns():
    assert planned(Login(host=LITERAL), "Host 2600:1f18:*\n User ec2-user\n").user == "ec2-user"


def test_included_files_stand_where_they_are_included(home: Path):
    (home / ".ssh/config.d").mkdir()
    (home / ".ssh/config.d/one").write_text("Host web\n  User one\n")
    (home / ".ssh/config.d/two").write_text("Host web\n  User two\n  Port 2\n")
    config = home / ".ssh/config"
    config.write_text(
        'Include "config.d/*" nothing-*\nHostKeyAlias everywhere\nHost other\n  User other\n'
    )
    plan = planned(Login(host="web"), ssh_login.config_text(config))
    assert (plan.user, plan.port, plan.host_key_name) == ("one", 2, "everywhere")
    assert planned(Login(host="other"), ssh_login.config_text(config)).user == "other"


def test_a_file_that_includes_itself_is_refused(home: Path):
    (home / ".ssh/config").write_text("Include config\n")
    with pytest.raises(ValueError, match="nested"):
        ssh_login.config_text(home / ".ssh/config")


def test_no_file_is_no_configuration(tmp_path: Path):
    assert ssh_login.config_text(tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("host", Login(host="host")),
        ("u@host:22", Login(host="host", user="u", port=22)),
        ("[2001:db8::1]", Login(host="2001:db8::1")),
        ("u@2001:db8::1", Login(host="2001:db8::1", user="u")),
        ("u@[fe80::1%eth0]:22", Login(host="fe80::1%eth0", user="u", port=22)),
        ("ssh://u@host:2222", Login(host="host", user="u", port=2222)),
        ("::1", Login(host="::1")),
    ],
)
def test_a_jump_is_read_as_ssh_reads_it(text: str, login: Login):
    assert ssh_login.destination(text) == login


@pytest.mark.parametrize("text", ["", "@", "u@", "host:port", "[2001:db8::1", "a@b@c"])
def test_what_is_no_destination_is_refused(text: str):
    with pytest.raises(ValueError, match="is not"):
        ssh_login.destination(text)


def test_a_key_is_not_shown():
    assert "secret" not in repr(ssh_login.Credentials(user="u", key="secret", known_hosts=""))
