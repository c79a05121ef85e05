"""Is a program in a pod talked to as remotecommand wants it, and is garbage told from it?"""

import json
import time

import pytest

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.transport.pod import server
from pytest_v6probe.transport.pod.api import Answer, open_api
from pytest_v6probe.transport.pod.stream import PodStream, exit_code, open_stream
from tests.unit.transport.pod.played import PODS, refusal, said
from tests.unit.transport.pod.played_exec import V4, V5, ended, failed, frame, messages, shake_hands

POD = f"{PODS}/web-1"


@pytest.fixture
def start(fake, api):
    """Starts a program; its end of the connection is *act*'s, where that is given."""
    streams = []

    def begin(act=None, argv=("cat",), **kwargs):
        if act is not None:

            def play(connection, head):
                shake_hands(connection, head, fake.protocols)
                act(connection)

            fake.script[f"GET {POD}/exec"] = play
        made = open_stream(
            api,
            POD,
            container="web",
            argv=argv,
            name="the pod",
            end=time.monotonic() + 5,
            **kwargs,
        )
        streams.append(made)
        return made

    yield begin
    for stream in streams:
        if isinstance(stream, PodStream):
            stream.close()


def hear(stream):
    heard = b""
    while octets := stream.receive(timeout_s=5):
        heard += octets
    return heard


def says(*frames):
    return lambda connection: connection.sendall(b"".join(frames))


def status(said):
    return frame(3, json.dumps(said).encode())


def test_octets_go_both_ways(start):
    stream = start()
    stream.send(b"abc" * 50000, timeout_s=5)
    heard = b""
    while len(heard) < 150000:
        heard += stream.receive(timeout_s=5)
    assert heard == b"abc" * 50000


def test_what_is_asked_is_in_the_url_and_the_head(fake, start):
    start(argv=("sh", "-c", "echo ü & true"))
    head = fake.heads[-1]
    assert head.startswith(
        f"GET {POD}/exec?command=sh&command=-c&command=echo+%C3%BC+%26+true&container=web&"
        "stdin=true&stdout=true&stderr=true HTTP/1.1\r\n"
    )
    assert f"Sec-WebSocket-Protocol: {V5}, {V4}" in head


@pytest.mark.parametrize(
    ("code", "expected"), [(0, "words exit status 0"), (3, "words exit status 3")]
)
def test_how_it_ended_is_said_with_its_last_words(start, code, expected):
    stream = start(argv=("sh", "-c", f"echo words >&2; exit {code}"))
    assert (hear(stream), stream.last_words()) == (b"", expected)


def test_a_program_that_is_not_there_is_the_end_of_its_output(start):
    stream = start(argv=("/nonexistent/python3",))
    assert (hear(stream), stream.absent) == (b"", True)
    assert "executable file not found" in stream.last_words()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('container not found ("web")', "container-absent"),
        ("error dialing backend: dial tcp [::1]:10250: connection refused", "kubelet-unreachable"),
        ("unknown runtime", "exec-refused"),
    ],
)
def test_where_nothing_was_started_it_is_said_why(start, message, reason):
    stream = start(says(frame(1, b""), status(failed(message))))
    with pytest.raises(VantageUnreachable, match="the pod: ") as caught:
        hear(stream)
    assert (caught.value.reason, message in str(caught.value)) == (reason, True)


def test_the_command_in_a_kubelets_url_does_not_hide_why(start):
    said = 'Post "https://[::1]:10250/exec/d/p/c?command=a&command=' + "x" * 999 + '": no route'
    stream = start(says(status(failed(said))))
    with pytest.raises(VantageUnreachable, match='exec/d/p/c": no route'):
        hear(stream)


def test_a_failure_after_some_output_is_the_end_of_it(start):
    stream = start(says(frame(1, b"some"), status(failed("the kubelet is gone"))))
    assert (hear(stream), stream.last_words()) == (b"some", "the kubelet is gone")


def test_a_stream_that_is_cut_says_what_became_of_the_pod(start):
    stream = start(says(frame(1, b"some")), after=lambda: "(the pod was deleted)")
    assert hear(stream) == b"some"
    assert stream.last_words() == "the stream was cut (the pod was deleted)"


def test_a_program_that_was_killed_says_what_became_of_the_pod(start):
    stream = start(says(frame(1, b"some"), status(ended(137))), after=lambda: "(deleted)")
    assert (hear(stream), stream.last_words()) == (b"some", "exit status 137 (deleted)")


def test_a_message_may_come_in_pieces_with_pings_between(start):
    heard = []

    def act(connection):
        connection.sendall(
            frame(-1, b"", opcode=2, final=False)
            + frame(1, b"a", opcode=0, final=False)
            + frame(-1, b"are you there", opcode=9)
            + frame(-1, b"b", opcode=0)
            + frame(2, b"words")
            + frame(1, b"c")
            + frame(9, b"of no stream")
        )
        heard.extend(messages(bytearray(connection.recv(65536))))

    stream = start(act)
    assert hear(stream) == b"abc"
    assert (heard, stream.last_words()) == ([(10, b"are you there")], "words the stream was cut")


@pytest.mark.parametrize(
    "octets", [b"\xff\xff\xff\xff", b"\x82\xff" + bytes(8), b"\x82\x7f" + b"\x7f" * 8, b"\x00\x01x"]
)
def test_what_is_no_frame_is_garbage(start, octets):
    stream = start(says(octets))
    with pytest.raises(AgentUnusable) as caught:
        hear(stream)
    assert caught.value.reason == "agent-garbage"


@pytest.mark.parametrize("said", [b"[" * 100000, b"7", b"{", b'{"details": 7}', b"\xff"])
def test_a_status_that_is_garbage_is_none(start, said):
    stream = start(says(frame(1, b"some"), frame(3, said)))
    assert (hear(stream), stream.status.get("code")) == (b"some", None)
    assert stream.last_words() == "the stream was cut"


def test_silence_is_bounded(start):
    stream = start(lambda connection: connection.recv(1))
    with pytest.raises(DeadlinePassed, match="silence"):
        stream.receive(timeout_s=0.2)


def test_octets_that_are_not_for_us_do_not_stretch_the_time(start):
    def act(connection):
        connection.settimeout(0.02)
        while True:
            connection.sendall(frame(2, b"x"))
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                pass

    stream = start(act)
    with pytest.raises(DeadlinePassed):
        stream.receive(timeout_s=0.3)


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [([V5, V4], [(2, b"\xff\x00"), (8, b"\x03\xe8")]), ([V4], [(8, b"\x03\xe8")])],
)
def test_its_input_is_closed_first_where_the_server_can(fake, start, protocols, expected):
    fake.protocols = protocols
    heard, done = bytearray(), []

    def act(connection):
        while octets := connection.recv(65536):
            heard.extend(octets)
        done.append(messages(heard))

    start(act).close()
    end = time.monotonic() + 5
    while not done and time.monotonic() < end:
        time.sleep(0.01)
    assert done == [expected]


def test_after_its_end_nothing_is_sent(start):
    stream = start(argv=("true",))
    hear(stream)
    with pytest.raises(AgentUnusable, match="the program is gone"):
        stream.send(b"x", timeout_s=1)
    stream.close()
    stream.close()
    with pytest.raises(AgentUnusable):
        stream.send(b"x", timeout_s=1)


def test_a_refusal_is_the_apis_answer(fake, start):
    fake.script[f"GET {POD}/exec"] = refusal(403, "no")
    assert start().message == "no"


def test_a_server_that_says_when_is_asked_again(fake, start, monkeypatch):
    monkeypatch.setattr(server, "LEAST_WAIT_S", 0.05)
    fake.script[f"GET {POD}/exec"] = [said(429, {}, "Retry-After: 0")]
    stream = start(argv=("echo", "x"))
    assert (hear(stream), fake.asked.count(f"GET {POD}/exec")) == (b"x\n", 2)


@pytest.mark.parametrize("protocols", [[], ["channel.k8s.io"]])
def test_a_server_without_our_protocols_is_not_used(fake, start, protocols):
    fake.protocols = protocols
    with pytest.raises(VantageUnreachable, match="no WebSocket of Kubernetes"):
        start()


def test_a_server_that_did_not_read_the_key_is_not_used(fake, start):
    fake.script[f"GET {POD}/exec"] = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
    )
    with pytest.raises(VantageUnreachable) as caught:
        start()
    assert caught.value.reason == "api-garbage"


def test_only_so_many_streams_run_at_once(fake):
    api = open_api(fake.spec(), concurrency=2)

    def begin():
        return open_stream(
            api, POD, container="web", argv=("cat",), name="p", end=time.monotonic() + 0.3
        )

    first, _second = begin(), begin()
    with pytest.raises(Unobserved) as caught:
        begin()
    assert (caught.value.reason, "raise --v6-concurrency" in str(caught.value)) == (
        "streams-in-use",
        True,
    )
    first.close()
    third = begin()
    third.close()
    _second.close()
    fake.script[f"GET {POD}/exec"] = refusal(403, "no")
    assert [type(begin()) for _ in range(4)] == [Answer] * 4
    api.close()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (ended(0), 0),
        (ended(7), 7),
        (failed("x"), None),
        ({}, None),
        ({"details": {"causes": [7, {"reason": "ExitCode", "message": "9" * 5000}]}}, None),
        ({"details": {"causes": {"reason": "ExitCode"}}}, None),
    ],
)
def test_the_exit_status_is_in_the_causes(said, expected):
    assert exit_code(said) == expected
