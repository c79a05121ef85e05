"""Is what an engine says of a pull or push read, recorded and hostile?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.transport.docker.progress import Progress, split_reference

DIGEST = "sha256:" + "ab" * 32
PULLED = (
    {"status": "Pulling from library/alpine", "id": "3.20"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "aaa"},
    {"status": "Downloading", "progressDetail": {"current": 1, "total": 2}, "id": "aaa"},
    {"status": "Download complete", "progressDetail": {}, "id": "aaa"},
    {"status": "Pull complete", "progressDetail": {}, "id": "aaa"},
    {"status": "Already exists", "progressDetail": {}, "id": "bbb"},
    {"status": f"Digest: {DIGEST}"},
    {"status": "Status: Downloaded newer image for alpine:3.20"},
)
PUSHED = (
    {"status": "The push refers to repository [reg.example:5000/x]"},
    {"status": "Pushed", "progressDetail": {}, "id": "aaa"},
    {"status": "Layer already exists", "progressDetail": {}, "id": "bbb"},
    {"status": f"1: digest: {DIGEST} size: 528"},
)


def read(*messages, size=17):
    octets = b"\r\n".join(json.dumps(message).encode() for message in messages)
    seen = Progress()
    for at in range(0, len(octets), size):
        seen.take(octets[at : at + size])
    seen.end()
    return seen.error, len(seen.layers), seen.digest


@pytest.mark.parametrize("messages", [PULLED, PUSHED])
def test_layers_and_digest_are_read(messages):
    assert read(*messages) == ("", 2, DIGEST)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"errorDetail": {"message": "manifest unknown"}, "error": "x"}, "manifest unknown"),
        ({"error": "denied\n\x1b[2J"}, "denied \x1b[2J"),
        ({"error": {"a": 1}}, "{'a': 1}"),
        ({"errorDetail": None}, "an error without words"),
    ],
)
def test_an_error_is_read_whatever_its_shape(message, error):
    assert read(PULLED[0], message)[0] == error


@pytest.mark.parametrize(
    "octets", [b"[]\n", b"nonsense\n", b"[" * 100_000 + b"\n", b"x" * 3_000_000]
)
def test_what_is_no_progress_is_a_value_error(octets):
    with pytest.raises(ValueError):
        Progress().take(octets)


def test_layers_are_counted_up_to_a_bound():
    seen = Progress()
    for number in range(6000):
        seen.take(json.dumps({"status": "Pull complete", "id": str(number)}).encode() + b"\n")
    assert len(seen.layers) == 4096


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(("status", "id", "error", "errorDetail", "message"))


@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_any_object_is_a_progress_message(message):
    error, layers, digest = read(message)
    assert (isinstance(error, str), layers <= 1, digest) == (True, True, "")


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("alpine", ("alpine", "latest")),
        ("reg.example:5000/a/b", ("reg.example:5000/a/b", "latest")),
        ("reg.example:5000/a/b:1", ("reg.example:5000/a/b", "1")),
        (f"a/b@{DIGEST}", ("a/b", DIGEST)),
        ("[2001:db8::1]:5000/image", ("[2001:db8::1]:5000/image", "latest")),
        ("[2001:db8::1]:5000/image:2", ("[2001:db8::1]:5000/image", "2")),
    ],
)
def test_a_reference_is_split_as_the_api_wants_it(reference, parts):
    assert split_reference(reference) == parts
