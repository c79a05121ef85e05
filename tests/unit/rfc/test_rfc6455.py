"""Are a WebSocket's frames built and taken apart as RFC 6455 has it, and as another client does?"""

import pytest
from websocket import ABNF

from pytest_v6probe.rfc import rfc6455
from pytest_v6probe.rfc.rfc6455 import BINARY, CLOSE, CONTINUATION, PING, TEXT, Frame, Frames

MASK = bytes.fromhex("37fa213d")


def test_the_servers_answer_to_a_key_is_that_of_the_rfc():
    assert rfc6455.accepted("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # §1.3


def test_a_masked_hello_is_that_of_the_rfc():
    assert rfc6455.encoded(Frame(opcode=TEXT, payload=b"Hello"), MASK) == bytes.fromhex(
        "818537fa213d7f9f4d5158"  # §5.7
    )


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70001])
def test_frames_of_any_length_are_as_another_client_sends_them(size):
    payload = bytes(number % 251 for number in range(size))
    other = ABNF(1, 0, 0, 0, BINARY, 1, payload)
    other.get_mask_key = lambda _length: MASK
    assert rfc6455.encoded(Frame(opcode=BINARY, payload=payload), MASK) == other.format()


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("810548656c6c6f", [Frame(opcode=TEXT, payload=b"Hello")]),
        (
            "010348656c80026c6f",
            [
                Frame(opcode=TEXT, payload=b"Hel", final=False),
                Frame(opcode=CONTINUATION, payload=b"lo"),
            ],
        ),
        ("890548656c6c6f", [Frame(opcode=PING, payload=b"Hello")]),
        ("827e0100" + "00" * 256, [Frame(opcode=BINARY, payload=bytes(256))]),
        ("827f0000000000010000" + "00" * 65536, [Frame(opcode=BINARY, payload=bytes(65536))]),
        ("880203e8", [Frame(opcode=CLOSE, payload=b"\x03\xe8")]),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 100000])
def test_the_frames_of_the_rfc_are_read_in_pieces_of_any_length(octets, expected, piece):
    frames, whole, found = Frames(), bytes.fromhex(octets), []
    for at in range(0, len(whole), piece):
        found += frames.take(whole[at : at + piece])
    assert found == expected


@pytest.mark.parametrize(
    "octets",
    [
        "818537fa213d7f9f4d5158",
        "c10548656c6c6f",
        "8000",
        "0103010101" + "8201aa",
        "8b00",
        "8900"[:2] + "7e0100",
        "0900",
        "8300",
        "827f0000000002000000",
        "827fffffffffffffffff",
    ],
    ids=[
        "masked",
        "reserved-bits",
        "a-continuation-of-nothing",
        "a-message-within-another",
        "an-unknown-control-frame",
        "a-long-ping",
        "a-ping-in-pieces",
        "an-unknown-frame",
        "32-MiB",
        "an-endless-one",
    ],
)
def test_what_no_server_may_send_is_refused(octets):
    with pytest.raises(ValueError, match="frame"):
        Frames().take(bytes.fromhex(octets) + bytes(300))


def test_a_ping_between_the_pieces_of_a_message_does_not_end_it():
    found = Frames().take(bytes.fromhex("02016189008001 62".replace(" ", "")))
    assert [frame.opcode for frame in found] == [BINARY, PING, CONTINUATION]
