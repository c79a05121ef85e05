"""Are challenges read as they are written, and are tokens taken and kept to themselves?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc import rfc6750
from pytest_v6probe.rfc.rfc6750 import Challenge, challenges, read_token, realm, token_url

HUB = Challenge(
    scheme="bearer",
    parameters=(("realm", "https://auth.docker.io/token"), ("service", "registry.docker.io")),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Bearer realm="https://auth.docker.io/token",service="registry.docker.io"', (HUB,)),
        (
            'bearer  REALM = "https://auth.docker.io/token" , service=registry.docker.io',
            (HUB,),
        ),
        (
            'Basic realm="a \\"b\\", c", Bearer realm=x',
            (
                Challenge(scheme="basic", parameters=(("realm", 'a "b", c'),)),
                Challenge(scheme="bearer", parameters=(("realm", "x"),)),
            ),
        ),
        (
            "Negotiate YII=, NTLM, Basic realm=x",
            (
                Challenge(scheme="negotiate"),
                Challenge(scheme="ntlm"),
                Challenge(scheme="basic", parameters=(("realm", "x"),)),
            ),
        ),
        (
            'Bearer realm="r",scope="repository:a:pull,push"',
            (
                Challenge(
                    scheme="bearer",
                    parameters=(("realm", "r"), ("scope", "repository:a:pull,push")),
                ),
            ),
        ),
        ("Negotiate", (Challenge(scheme="negotiate"),)),
        ("", ()),
    ],
)
def test_challenges_are_read(text, expected):
    assert challenges(text) == expected


@pytest.mark.parametrize(
    "text", ['Bearer realm="', 'Bearer realm="a",service=', "=x", "Ä", "a" * 9000]
)
def test_what_is_no_challenge_is_refused(text):
    with pytest.raises(ValueError, match="challenge"):
        challenges(text)


def test_the_realm_is_asked_with_service_and_scope():
    asked = token_url(HUB, scope="repository:library/alpine:pull")
    assert asked == (
        "https://auth.docker.io/token?service=registry.docker.io"
        "&scope=repository:library/alpine:pull"
    )


def test_a_realm_with_a_query_keeps_it():
    asked = token_url(
        Challenge(scheme="bearer", parameters=(("realm", "http://r/?a=b"),)), scope="s"
    )
    assert asked == "http://r/?a=b&scope=s"


@pytest.mark.parametrize("text", ["", "file:///etc/passwd", "//x", "https:///x", "http://x/#y"])
def test_a_realm_that_is_no_url_is_refused(text):
    with pytest.raises(ValueError, match="realm"):
        realm(Challenge(scheme="bearer", parameters=(("realm", text),)))


def test_an_identity_token_is_exchanged_by_a_form():
    form = rfc6750.token_form(HUB, scope="repository:a:pull", identity_token="a+b")
    assert form == (
        b"grant_type=refresh_token&service=registry.docker.io&client_id=pytest-v6probe"
        b"&scope=repository%3Aa%3Apull&refresh_token=a%2Bb"
    )


@pytest.mark.parametrize("key", ["token", "access_token"])
def test_a_token_is_taken_and_not_shown(key):
    token = read_token(json.dumps({key: "abc.def-_~+/="}).encode())
    assert token.value == "abc.def-_~+/="
    assert "abc" not in repr(token)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 50_000,
        b'{"token": 7}',
        b'{"token": "a b"}',
        b'{"token": "a\\r\\nX: y"}',
        json.dumps({"token": "a" * 20_000}).encode(),
        b" " * 70_000,
    ],
    ids=range(9),
)
def test_what_is_no_token_is_refused_without_being_shown(answer):
    with pytest.raises(ValueError, match=r"realm|token") as refused:
        read_token(answer)
    assert "a b" not in str(refused.value)


def test_a_password_is_put_as_rfc_7617_has_it():
    assert rfc6750.basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    with pytest.raises(ValueError, match="colon"):
        rfc6750.basic("a:b", "c")


@given(st.text(max_size=60) | st.from_regex(r'\A[A-Za-z=", \\]{0,40}\Z'))
def test_any_text_is_read_or_refused(text):
    try:
        found = challenges(text)
    except ValueError:
        return
    assert all(one.scheme == one.scheme.lower() for one in found)


NAMES = st.from_regex(r"\A[a-z]{1,8}\Z")
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(
    st.lists(st.tuples(NAMES, st.dictionaries(NAMES, VALUES, min_size=1, max_size=3)), max_size=3)
)
def test_what_is_written_by_the_rules_is_read_back(wanted):
    text = ", ".join(
        f"{scheme} "
        + ",".join(
            '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
            for name, value in pairs.items()
        )
        for scheme, pairs in wanted
    )
    expected = tuple(Challenge(scheme=s, parameters=tuple(p.items())) for s, p in wanted)
    assert challenges(text) == expected
