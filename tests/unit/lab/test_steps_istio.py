"""Is Istio broken by its own settings and objects, and is each step over only when the sidecars show it?"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import anchor, steps_istio
from pytest_v6probe.lab.clouds import istio, istio_objects
from pytest_v6probe.lab.steps_istio import Directed, Refiltered, Remade, Uncaptured, Unlearned

OFF = {"ISTIO_DUAL_STACK": "false"}
POD = {
    "metadata": {"name": "web-1"},
    "spec": {"nodeName": "node-1"},
    "status": {"podIP": "fd00::5", "podIPs": [{"ip": "fd00::5"}, {"ip": "10.0.0.5"}]},
}
BOTH, SIX, FOUR = '"fd00::5" "10.0.0.5"', '"fd00::5"', '"10.0.0.5"'
LISTENS, DEAF = "0.0.0.0:15006 [::]:15006", "0.0.0.0:15006"
DOMAINS = '"[fd00::1]" "10.0.0.1"'


class FakeMesh:
    """A mesh of one pod an app. *pages* holds what each says at a page, one after another, the last for
    ever; what is asked of the API, and run, is noted.
    """

    def __init__(self) -> None:
        self.pages: dict[str, list[str]] = {
            steps_istio.LISTENERS: [LISTENS],
            steps_istio.ENDPOINTS: [BOTH],
            steps_istio.ROUTES: [DOMAINS],
        }
        self.cluster_ips = ["fd00::1", "10.0.0.1"]
        self.done: list[Any] = []

    def asked(self, lab: object, region: str, method: str, path: str, body: Any = None):
        del lab
        yield from ()
        assert region == "istio"
        if method != "GET":
            self.done.append((method, path, body))
        if "pods?" in path:
            return {"items": [POD]}
        if path == steps_istio.ISTIOD_PATH:
            container = {"name": "discovery", "env": []}
            template = {"spec": {"containers": [container]}}
            return {"metadata": {"generation": 2}, "spec": {"template": template}}
        return {"spec": {"clusterIPs": self.cluster_ips}}

    def seen(self, lab: object, region: str, path: str, wanted: Any):
        del lab, region
        yield from ()
        assert path == steps_istio.ISTIOD_PATH
        old = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}
        new = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1}
        assert [wanted({"status": status}) for status in (old, {**new, "replicas": 2}, new)] == [
            False,
            False,
            True,
        ]

    def renewed(self, lab: object, region: str, namespace: str, selector: str):
        del lab
        yield from ()
        self.done.append(("renewed", region, namespace, selector))

    def run(self, node: str, *argv: str):
        yield from ()
        assert (node, argv[:2], argv[4]) == ("istio/node-1", ("sh", "-c"), "fd00::5")
        if not argv[-1].startswith("http"):
            self.done.append(argv[5:])
            return
        page = argv[-1].removeprefix("http://[::1]:15000")
        known = self.pages[page]
        said = known.pop(0) if len(known) > 1 else known[0]
        (anchor.directory(node) / "output").write_text(said)


@pytest.fixture
def mesh(monkeypatch, tmp_path) -> Any:
    fake = FakeMesh()
    for name in ("asked", "seen", "renewed"):
        monkeypatch.setattr(steps_istio, name, getattr(fake, name))
    monkeypatch.setattr(anchor, "HOME", str(tmp_path))
    anchor.directory("istio/node-1").mkdir(parents=True)
    return fake


def dual_stack(done: Any) -> str:
    """What a patch of istiod sets."""
    method, path, body = done
    assert (method, path) == ("PATCH", steps_istio.ISTIOD_PATH)
    (container,) = body["spec"]["template"]["spec"]["containers"]
    settings = {one["name"]: one.get("value") for one in container["env"]}
    return str(settings["ISTIO_DUAL_STACK"])


RENEWED = ("renewed", "istio", "mesh", "security.istio.io/tlsMode=istio")


def test_istiods_setting_is_in_effect_when_no_sidecar_listens(mesh):
    mesh.pages[steps_istio.LISTENERS] = [LISTENS, DEAF]
    mesh.pages[steps_istio.ROUTES] = [DOMAINS, '"[fd00::1]"']
    list(Directed(region="istio", settings=OFF).apply(mesh))
    assert [dual_stack(one) for one in mesh.done] == ["false"]
    assert [len(mesh.pages[page]) for page in (steps_istio.LISTENERS, steps_istio.ROUTES)] == [1, 1]


def test_with_its_own_settings_back_the_mesh_is_made_anew(mesh):
    mesh.pages[steps_istio.LISTENERS] = [DEAF, LISTENS]
    mesh.pages[steps_istio.ENDPOINTS] = [FOUR, BOTH]
    list(Directed(region="istio", settings=OFF).revert(mesh))
    patched, renewed = mesh.done
    assert (dual_stack(patched), renewed) == ("true", RENEWED)
    assert mesh.pages[steps_istio.ENDPOINTS] == [BOTH]


def test_a_mesh_that_started_with_other_settings_is_not_made_anew(mesh):
    step = Unlearned(region="istio", settings=OFF)
    mesh.pages[steps_istio.ENDPOINTS] = [BOTH, SIX]
    list(step.apply(mesh))
    mesh.pages[steps_istio.ENDPOINTS] = [BOTH]
    first, renewed, second = mesh.done
    assert (dual_stack(first), renewed, dual_stack(second)) == ("false", RENEWED, "true")
    mesh.done.clear()
    list(step.revert(mesh))
    assert mesh.done == [RENEWED]


def test_a_listeners_addresses_are_replaced_by_an_envoy_filter(mesh):
    value: dict[str, Any] = {"additional_addresses": [{"address": {}}]}
    step = Refiltered(region="istio", app="web", value=value)
    mesh.pages[steps_istio.LISTENERS] = [LISTENS, DEAF]
    list(step.apply(mesh))
    mesh.pages[steps_istio.LISTENERS] = [DEAF, LISTENS]
    list(step.revert(mesh))
    (post, path, body), (delete, one, _) = mesh.done
    assert (post, delete, one) == ("POST", "DELETE", f"{path}/web-listens")
    assert path == "/apis/networking.istio.io/v1alpha3/namespaces/mesh/envoyfilters"
    (patch,) = body["spec"]["configPatches"]
    assert patch["match"]["listener"] == {"name": "virtualInbound"}
    assert patch["patch"] == {"operation": "MERGE_AND_REPLACE_LIST", "value": value}
    assert body["spec"]["workloadSelector"] == {"labels": {"app": "web"}}


def test_a_rule_is_taken_out_of_every_pod_and_put_back(mesh):
    step = Uncaptured(region="istio", app="web", chain="PREROUTING", rule=("-j", "ISTIO_INBOUND"))
    list(step.apply(mesh))
    list(step.revert(mesh))
    words = ("ip6tables-nft", "-t", "nat")
    assert mesh.done == [
        (*words, "--delete", "PREROUTING", "-j", "ISTIO_INBOUND"),
        (*words, "--append", "PREROUTING", "-j", "ISTIO_INBOUND"),
    ]


def test_a_service_is_made_with_one_family_and_then_as_it_was(mesh):
    step = Remade(region="istio", families=("IPv4",))
    mesh.cluster_ips = ["10.0.0.1"]
    mesh.pages[steps_istio.ENDPOINTS] = [BOTH, FOUR]
    list(step.apply(mesh))
    mesh.cluster_ips = ["fd00::1", "10.0.0.1"]
    mesh.pages[steps_istio.ENDPOINTS] = [FOUR, BOTH]
    list(step.revert(mesh))
    assert [one[:2] for one in mesh.done] == [
        ("DELETE", "/api/v1/namespaces/mesh/services/web"),
        ("POST", "/api/v1/namespaces/mesh/services"),
    ] * 2
    (_, _, single), (_, _, whole) = mesh.done[1::2]
    assert single["spec"] | {"ports": []} == {
        "ipFamilyPolicy": "SingleStack",
        "ipFamilies": ["IPv4"],
        "selector": {"app": "web"},
        "ports": [],
    }
    assert whole == istio.service()


def test_what_no_sidecar_shows_is_an_error(mesh, monkeypatch):
    monkeypatch.setattr(steps_istio, "EFFECT_S", 0.0)
    with pytest.raises(
        LabError, match=r"Envoy of web-1 says at /listeners after 0 s still \[::\]:15006"
    ):
        list(Directed(region="istio", settings=OFF).apply(mesh))


def test_the_settings_that_are_put_back_are_those_that_istiod_starts_with():
    assert istio_objects.SETTINGS["ISTIO_DUAL_STACK"] == "true"
