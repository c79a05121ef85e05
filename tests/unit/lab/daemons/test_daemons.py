"""Do the daemons' own checkers take the configurations that the lab writes for them?"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.lab import faults, shapes
from pytest_v6probe.lab.certificates import authority
from pytest_v6probe.lab.clouds import aws
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE
from pytest_v6probe.lab.daemons.bind import Bind
from pytest_v6probe.lab.daemons.chronyd import Chronyd
from pytest_v6probe.lab.daemons.imds import Imds
from pytest_v6probe.lab.daemons.nginx import LARGE_BYTES, Nginx
from pytest_v6probe.lab.daemons.radvd import Radvd
from pytest_v6probe.lab.daemons.sshd import Sshd
from pytest_v6probe.lab.steps import Added, Changed

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_v6probe.lab.daemon import Daemon

SHAPE = aws.shape("test")
SHAPES = {name: shapes.shape(name, name="test") for name in shapes.NAMES}
SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"


def variants(kind: type[Daemon]) -> list[Daemon]:
    """Every daemon of *kind* in the labs, as it is and as each fault makes it."""
    found: list[Daemon] = []
    for shape in SHAPES.values():
        found += [daemon for daemon in shape.daemons if isinstance(daemon, kind)]
    for fault in faults.FAULTS.values():
        shape = SHAPES[fault.shape]
        for step in fault.steps:
            if isinstance(step, Changed) and isinstance(daemon := shape.daemon(step.daemon), kind):
                found.append(replace(daemon, **step.options))
            elif isinstance(step, Added) and isinstance(step.daemon, kind):
                found.append(step.daemon)
    return [daemon for at, daemon in enumerate(found) if daemon not in found[:at]]


def written(daemon: Daemon, home: Path) -> Path:
    for name, text in daemon.files(home).items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    return home


def check_taken(*argv: str) -> None:
    ran = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, "PATH": SBIN}
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def number(daemon: Daemon) -> str:
    return daemon.name


@pytest.mark.parametrize("daemon", variants(Bind), ids=number)
def test_named_takes_its_configuration_and_zones(daemon: Daemon, tmp_path: Path):
    check_taken("named-checkconf", "-z", str(written(daemon, tmp_path) / "named.conf"))


@pytest.mark.parametrize("daemon", variants(Radvd), ids=number)
def test_radvd_takes_its_configuration(daemon: Daemon, tmp_path: Path):
    check_taken("radvd", "--configtest", "--config", str(written(daemon, tmp_path) / "radvd.conf"))


@pytest.mark.parametrize("daemon", variants(Chronyd), ids=number)
def test_chronyd_takes_its_configuration(daemon: Daemon, tmp_path: Path):
    check_taken("chronyd", "-p", "-f", str(written(daemon, tmp_path) / "chrony.conf"))


@pytest.mark.parametrize("daemon", variants(Nginx), ids=number)
def test_nginx_takes_its_configuration(daemon: Nginx, tmp_path: Path):
    written(daemon, tmp_path)
    if daemon.certificate is not None:
        authority().issue(daemon.certificate, tmp_path / CERTIFICATE_FILE)
    text = (tmp_path / "nginx.conf").read_text(encoding="utf-8")
    (tmp_path / "nginx.conf").write_text(
        re.sub(r"listen \S+:(80|443)\b", f"listen unix:{tmp_path}/door", text), encoding="utf-8"
    )
    check_taken(
        "nginx", "-t", "-e", "stderr", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")
    )


@pytest.mark.parametrize("daemon", variants(Sshd), ids=number)
def test_sshd_takes_its_configuration(daemon: Sshd, tmp_path: Path):
    key = tmp_path / "key"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)), check=True)
    mine = replace(daemon, host_key=key)
    sshd = shutil.which("sshd", path=SBIN) or "sshd"
    said = subprocess.run(
        (sshd, "-t", "-f", str(written(mine, tmp_path) / "sshd_config")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stderr.replace("Missing privilege separation directory: /run/sshd\n", "") == ""


@pytest.mark.parametrize("daemon", variants(Imds), ids=number)
def test_the_metadata_service_gets_json(daemon: Imds, tmp_path: Path):
    options = json.loads(daemon.files(tmp_path)["imds.json"])
    assert [len(instance["paths"]) > 10 for instance in options["instances"]] == [True] * len(
        daemon.instances
    )
    assert options["tokens"] == daemon.tokens


def test_the_large_page_is_as_large_as_it_says(tmp_path: Path):
    site = SHAPE.daemon("compute")
    (large,) = [text for name, text in site.files(tmp_path).items() if name.endswith("large.bin")]
    assert len(large) == LARGE_BYTES >= 200_000


def test_a_site_with_a_certificate_speaks_nothing_but_tls(tmp_path: Path):
    site = SHAPE.daemon("google-https")
    listens = re.findall(r"listen ([^;]+);", site.files(tmp_path)["nginx.conf"])
    assert listens == ["[2607:f8b0:4004:c17::8b]:443 ssl"]
    assert [question.port for question in site.ready()] == [443]


def test_a_site_serves_the_same_page_over_both_families(tmp_path: Path):
    files = SHAPE.daemon("google").files(tmp_path)
    pages = [text for name, text in files.items() if name.endswith("index.html")]
    assert len(pages) == 2
    assert len(set(pages)) == 1
