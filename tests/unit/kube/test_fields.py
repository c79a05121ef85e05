"""Does one bad object leave the others readable, and is anything at all either read or malformed?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.kube import endpoint_slices, fields, nodes, pods, services
from tests.unit.kube import objects

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("metadata", "spec", "status", "name", "namespace", "addresses", "address", "ports")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def test_a_bad_object_is_complained_of_and_the_others_are_read():
    bad = objects.but(objects.node(2), "spec.podCIDRs", 7)
    found, complaints = fields.read_all((objects.node(1), bad, {}), nodes.node)
    assert [node.name for node in found] == ["node-1"]
    assert complaints == (
        "node-2: spec.podCIDRs: a list was due",
        "an object without a name: metadata.name: a DNS name was due",
    )


@pytest.mark.parametrize(
    "read", [nodes.node, pods.pod, services.service, endpoint_slices.endpoint_slice]
)
@given(said=st.dictionaries(st.sampled_from(("metadata", "spec", "status", "endpoints")), JSON))
def test_anything_is_read_or_malformed(read, said):
    good = {"metadata": {"name": "x", "namespace": "y"}}
    found, complaints = fields.read_all(({**good, **said},), read)
    assert len(found) + len(complaints) == 1
