"""Are indexes and manifests read whole, chosen by platform, and bounded?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc import oci_distribution
from pytest_v6probe.rfc.oci_distribution import (
    Descriptor,
    Index,
    Manifest,
    Platform,
    TooMuch,
    digest_of,
    error_codes,
    parse,
    platform,
)

AMD64, ARM = Platform(os="linux", architecture="amd64"), Platform(os="linux", architecture="arm")
V6 = Platform(os="linux", architecture="arm", variant="v6")
V7 = Platform(os="linux", architecture="arm", variant="v7")
DIGEST = digest_of(b"x")


def entry(**more):
    return {"mediaType": "m", "digest": DIGEST, "size": 1, **more}


def described(on: Platform | None = None) -> Descriptor:
    return Descriptor(media_type="m", digest=DIGEST, size_bytes=1, platform=on)


def octets(**document) -> bytes:
    return json.dumps(document).encode()


MANIFEST = Manifest(config=described(), layers=(described(), described()))


@pytest.mark.parametrize("kind", oci_distribution.MANIFESTS)
@pytest.mark.parametrize("inside", [True, False])
def test_a_manifest_of_either_kind_is_read(kind, inside):
    document = {"schemaVersion": 2, "config": entry(), "layers": [entry(), entry()]}
    if inside:
        assert parse(octets(mediaType=kind, **document)) == MANIFEST
    else:
        assert parse(octets(**document), media_type=f"{kind}; charset=utf-8") == MANIFEST


@pytest.mark.parametrize("kind", [*oci_distribution.INDEXES, ""])
def test_an_index_of_either_kind_is_read_and_one_that_does_not_say_so(kind):
    listed = [entry(platform={"os": "linux", "architecture": "amd64"}), entry()]
    expected = Index(manifests=(described(AMD64), described()))
    assert parse(octets(manifests=listed), media_type=kind) == expected


@pytest.mark.parametrize(
    ("there", "wanted", "chosen"),
    [
        ((AMD64, ARM), AMD64, AMD64),
        ((V6, V7), V7, V7),
        ((V6, V7), ARM, V6),
        ((ARM, V7), V7, V7),
        ((V6,), V7, None),
        ((None, AMD64), AMD64, AMD64),
        ((), AMD64, None),
    ],
)
def test_the_platform_is_chosen(there, wanted, chosen):
    found = Index(manifests=tuple(map(described, there))).choose(wanted)
    assert (found and found.platform) == chosen


@pytest.mark.parametrize("text", ["linux/amd64", "linux/arm/v7"])
def test_a_platform_is_written_as_it_is_read(text):
    assert str(platform(text)) == text


@pytest.mark.parametrize("text", ["", "linux", "linux/", "a/b/c/d", "linux/amd 64"])
def test_what_is_no_platform_is_refused(text):
    with pytest.raises(ValueError, match="not a platform"):
        platform(text)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (b"", ValueError),
        (b"[]", ValueError),
        (b"[" * 100_000, ValueError),
        (b'{"a":' + b"1" * 10_000 + b"}", ValueError),
        (octets(schemaVersion=1), ValueError),
        (octets(schemaVersion=2, config=entry(), layers={}), ValueError),
        (octets(schemaVersion=2, config=entry(digest="md5:1"), layers=[]), ValueError),
        (octets(schemaVersion=2, config=entry(digest=DIGEST.upper()), layers=[]), ValueError),
        (octets(schemaVersion=2, config=entry(size=-1), layers=[]), ValueError),
        (octets(schemaVersion=2, config=entry(size=True), layers=[]), ValueError),
        (octets(schemaVersion=2, config=entry(size=2**60), layers=[]), TooMuch),
        (octets(schemaVersion=2, config=entry(), layers=[entry()] * 129), TooMuch),
        (octets(manifests=[entry()] * 513), TooMuch),
        (octets(manifests=["x"]), ValueError),
        (b" " * (1 << 20) + b"{}", TooMuch),
    ],
    ids=range(15),
)
def test_what_is_no_manifest_or_too_much_of_one_is_refused(document, error):
    with pytest.raises(error):
        parse(document)


def test_the_codes_of_an_error_are_read():
    body = octets(errors=[{"code": "DENIED", "message": "no"}, 3, {"code": "a-secret"}])
    assert error_codes(body) == ("DENIED",)
    assert error_codes(b"<html>") == ()
    assert error_codes(octets(errors=7)) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.just(DIGEST),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("config", "layers", "manifests", "digest", "size", "platform", "mediaType", "os")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON | st.binary(max_size=100))
def test_any_document_is_read_or_refused(document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    try:
        found = parse(body)
    except ValueError:
        return
    assert isinstance(found, Index | Manifest)


@given(JSON)
def test_any_error_is_read(document):
    assert len(error_codes(json.dumps({"errors": document}).encode())) <= 4
