"""Is the right that a path wants named as RBAC names it?"""

import pytest

from pytest_v6probe.transport.pod import rbac
from pytest_v6probe.transport.pod.rbac import Right


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/nodes", Right(verbs=("list",), resource="nodes")),
        ("/api/v1/namespaces", Right(verbs=("list",), resource="namespaces")),
        ("/api/v1/namespaces/x", Right(verbs=("list",), resource="namespaces")),
        (
            "/api/v1/namespaces/x/pods?limit=1",
            Right(verbs=("list",), resource="pods", namespace="x"),
        ),
        (
            "/apis/discovery.k8s.io/v1/namespaces/x/endpointslices",
            Right(
                verbs=("list",),
                resource="endpointslices",
                group="discovery.k8s.io",
                namespace="x",
            ),
        ),
        (
            "/api/v1/namespaces/x/pods/y/exec",
            Right(verbs=("list",), resource="pods/exec", namespace="x"),
        ),
        ("/apis", Right(verbs=("list",), resource="/apis")),
    ],
)
def test_a_path_says_which_resource_of_which_namespace(path, expected):
    assert rbac.right(path, "list") == expected


def test_the_cure_of_a_namespace_is_a_role():
    right = rbac.right("/api/v1/namespaces/x/pods/y/exec", "create", "get")
    assert str(right) == "create and get on pods/exec in the namespace x"
    assert right.cure == (
        "kubectl create role v6probe -n x --verb=create,get --resource=pods/exec && "
        "kubectl create rolebinding v6probe -n x --role=v6probe --user=…"
    )


def test_the_cure_of_a_cluster_is_a_clusterrole():
    right = rbac.right("/apis/discovery.k8s.io/v1/endpointslices", "list")
    assert str(right) == "list on endpointslices"
    assert right.cure == (
        "kubectl create clusterrole v6probe --verb=list --resource=endpointslices.discovery.k8s.io "
        "&& kubectl create clusterrolebinding v6probe --clusterrole=v6probe --user=…"
    )
