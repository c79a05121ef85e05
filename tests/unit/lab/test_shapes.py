"""Is a shape's word taken apart as it was put together?"""

from __future__ import annotations

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import shapes


def test_options_travel_with_the_name_of_the_shape():
    word = shapes.word("kubernetes", {"family": "ipv6", "nodes": "3"})
    assert word == "kubernetes:family=ipv6,nodes=3"
    assert (shapes.kind(word), shapes.options(word)) == (
        "kubernetes",
        {"family": "ipv6", "nodes": "3"},
    )
    assert shapes.word("kind", {}) == "kind"


def test_a_shape_is_called_without_its_options():
    assert shapes.shape("kubernetes:nodes=1", name="test").name == "kubernetes"


def test_a_lab_with_a_cluster_may_take_longer():
    assert [shapes.patience_s(word) for word in ("aws", "kind", "kubernetes:nodes=8")] == [
        shapes.PATIENCE_S,
        shapes.CLUSTER_PATIENCE_S,
        shapes.CLUSTER_PATIENCE_S,
    ]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("azure", "there is no lab of shape 'azure'; there is aws, docker"),
        ("aws:nodes=3", "a lab of shape aws takes no options"),
        ("kubernetes:nodes", "nodes: '' is no number"),
    ],
)
def test_what_is_no_shape_is_refused(word: str, said: str):
    with pytest.raises(LabError, match=said):
        shapes.shape(word, name="test")
