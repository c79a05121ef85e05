"""Does a walk along servers that are out to harm end with a verdict, in time, in bounded memory?"""

import json
import resource
from time import monotonic

import pytest

from pytest_v6probe.probes.pull_chain import pull_chain
from tests.unit.probes import hostile_registry as hostile
from tests.unit.probes.hostile_registry import IMAGE, Answer, Image, listening
from tests.unit.probes.small_registry import here

HONEST = Image()
DEADLINE_S = 2.0
SLACK_S = 4.0


@pytest.fixture(scope="module")
def at():
    with here() as vantage:
        yield vantage


def honest_but(path, answer):
    return {**HONEST.answers(), path: answer}


LATEST = HONEST.manifest_path()
LAYER = HONEST.blob_path(HONEST.layers[0])
DEEP = Answer(body=b"[" * 500_000)
HUGE = Answer(body=json.dumps(hostile.index_of(*[{"a": "b"}] * 600)).encode())
SELF = hostile.redirect(LATEST + "?again")
TRICKLE = Answer(headers=(("Content-Length", "5000"),), body=lambda: iter([b"x"]))


@pytest.mark.parametrize(
    ("answers", "verdicts"),
    [
        pytest.param(honest_but(LATEST, hostile.endless()), {"too-large"}, id="endless-manifest"),
        pytest.param(honest_but("/v2/", hostile.endless()), {"too-large"}, id="endless-ping"),
        pytest.param(honest_but(LAYER, hostile.endless()), {"too-large"}, id="endless-layer"),
        pytest.param(
            honest_but(LATEST, hostile.gzip_bomb()), {"status-500"}, id="gzip-bomb-in-an-error"
        ),
        pytest.param(
            honest_but(LATEST, hostile.gzip_bomb(200)), {"garbage"}, id="gzip-bomb-as-manifest"
        ),
        pytest.param(
            honest_but(LATEST, hostile.large_header()), {"too-large"}, id="header-of-megabytes"
        ),
        pytest.param(
            honest_but(LATEST, hostile.many_headers()), {"too-large"}, id="endless-headers"
        ),
        pytest.param(
            honest_but(LAYER, hostile.many_headers()), {"too-large"}, id="endless-layer-headers"
        ),
        pytest.param(hostile.index_loop(HONEST), {"digest-mismatch"}, id="index-loop"),
        pytest.param(hostile.nested_indexes(HONEST, 9), {"loop"}, id="nested-indexes"),
        pytest.param(honest_but(LATEST, SELF), {"loop"}, id="redirect-loop"),
        pytest.param(
            honest_but(LATEST, hostile.redirect(hostile.METADATA_URL)),
            {"refused-redirect"},
            id="to-the-metadata-service",
        ),
        pytest.param(
            honest_but(LAYER, hostile.redirect(hostile.LINK_LOCAL_URL)),
            {"refused-redirect"},
            id="to-the-link",
        ),
        pytest.param(
            honest_but("/v2/", hostile.challenge(hostile.METADATA_URL)),
            {"refused-redirect"},
            id="realm-at-the-metadata-service",
        ),
        pytest.param(
            honest_but("/v2/", hostile.challenge("file:///etc/shadow")),
            {"garbage"},
            id="realm-in-a-file",
        ),
        pytest.param(
            honest_but("/v2/", hostile.challenge('x" , y="')), {"garbage"}, id="broken-realm"
        ),
        pytest.param(hostile.wrong_layer(HONEST), {"digest-mismatch"}, id="digest"),
        pytest.param(honest_but(LATEST, DEEP), {"garbage"}, id="deep-json"),
        pytest.param(honest_but(LATEST, HUGE), {"too-large"}, id="too-many-manifests"),
        pytest.param(honest_but(LATEST, Answer(raw=b"SSH-2.0-x\r\n")), {"garbage"}, id="not-http"),
        pytest.param(honest_but(LATEST, Answer(silent=True)), {"unanswered"}, id="silent"),
        pytest.param(honest_but(LAYER, Answer(silent=True)), {"unanswered"}, id="silent-layer"),
        pytest.param(
            honest_but(LATEST, hostile.redirect("http://[::1")), {"garbage"}, id="broken-location"
        ),
        pytest.param(honest_but(LATEST, Answer(status=307)), {"garbage"}, id="redirect-to-nowhere"),
        pytest.param(
            honest_but(LAYER, TRICKLE), {"incomplete", "stalled"}, id="less-than-was-said"
        ),
    ],
)
def test_the_verdict_comes_in_time_and_little_is_kept(at, answers, verdicts):
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, monotonic()
    with listening(answers) as registry:
        chain = pull_chain(
            at, f"[::1]:{registry.port}/{IMAGE}", plain=True, step_s=1.0, deadline_s=DEADLINE_S
        )
    assert chain.verdict in verdicts
    assert monotonic() - begun < DEADLINE_S + SLACK_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 96 << 10  # KiB
    for line in chain.evidence:
        assert line.isprintable()
        assert len(line) <= 160


def test_an_honest_one_is_complete(at):
    with listening(HONEST.answers()) as registry:
        chain = pull_chain(at, f"[::1]:{registry.port}/{IMAGE}", plain=True)
    assert chain.verdict == "complete"


def test_a_token_without_an_end_is_none(at):
    with listening({"/token": hostile.endless(kind="application/json")}) as realm:
        answers = honest_but("/v2/", hostile.challenge(f"{realm.url}/token"))
        with listening(answers) as registry:
            chain = pull_chain(at, f"[::1]:{registry.port}/{IMAGE}", plain=True)
    assert chain.verdict == "too-large"
