"""Is what makes istiod run in a cluster of the lab as upstream's manifests have it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_v6probe.lab.clouds import istio_objects

MADE = tuple(istio_objects.objects(Path("/home/x/bin")))
BY_KEY: dict[str, Any] = {f"{path}/{one['metadata']['name']}": one for path, one in MADE}
SYSTEM = "namespaces/istio-system"


def istiod() -> Any:
    spec = BY_KEY[f"/apis/apps/v1/{SYSTEM}/deployments/istiod"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


def test_every_object_is_made_once_and_its_namespace_first():
    assert len(BY_KEY) == len(MADE)
    assert next(iter(BY_KEY)) == "/api/v1/namespaces/istio-system"


def test_dual_stack_is_on_in_istiod_and_for_sidecars():
    _, container = istiod()
    settings = {one["name"]: one.get("value") for one in container["env"]}
    assert settings["ISTIO_DUAL_STACK"] == "true"
    mesh = json.loads(BY_KEY[f"/api/v1/{SYSTEM}/configmaps/istio"]["data"]["mesh"])
    assert mesh["defaultConfig"]["proxyMetadata"] == {"ISTIO_DUAL_STACK": "true"}


def test_nothing_is_asked_of_envoy_that_only_istios_own_build_can_do():
    _, container = istiod()
    settings = {one["name"]: one.get("value") for one in container["env"]}
    assert settings["PILOT_ENABLE_METADATA_EXCHANGE"] == "false"
    assert settings["PILOT_ENABLE_ALPN_FILTER"] == "false"
    mesh = json.loads(BY_KEY[f"/api/v1/{SYSTEM}/configmaps/istio"]["data"]["mesh"])
    assert "defaultProviders" not in mesh


def test_istiod_is_this_machines_program_and_has_an_account_of_its_own():
    spec, container = istiod()
    assert container["command"] == ["/program/pilot-discovery", "discovery"]
    assert spec["volumes"][0] == {"name": "program", "hostPath": {"path": "/home/x/bin"}}
    assert spec["serviceAccountName"] == "istiod"
    assert f"/api/v1/{SYSTEM}/serviceaccounts/istiod" in BY_KEY


def test_tokens_are_for_istiods_authority_and_for_nobody_else():
    (source,) = istio_objects.token()["projected"]["sources"]
    assert source["serviceAccountToken"]["audience"] == "istio-ca"


def test_its_service_has_both_families_and_upstreams_ports():
    spec = BY_KEY[f"/api/v1/{SYSTEM}/services/istiod"]["spec"]
    assert spec["ipFamilyPolicy"] == "PreferDualStack"
    assert [(port["port"], port["targetPort"]) for port in spec["ports"]] == [
        (15010, 15010),
        (15012, 15012),
        (443, 15017),
        (15014, 15014),
    ]


def test_the_one_kind_that_faults_need_is_defined():
    (definition,) = [one for path, one in MADE if path == istio_objects.CRDS]
    assert definition["metadata"]["name"] == "envoyfilters.networking.istio.io"
    assert [one["name"] for one in definition["spec"]["versions"]] == ["v1alpha3"]
