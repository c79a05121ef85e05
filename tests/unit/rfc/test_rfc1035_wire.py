"""Does the DNS reader agree with dnspython on anything well-formed, and survive anything else?"""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_v6probe.rfc import rfc1035, rfc1035_wire
from pytest_v6probe.rfc.rfc1035 import Message

ASKED = rfc1035.query("www.example.com", "AAAA", id=1)
QUESTION = ASKED[12:33]

labels = st.binary(min_size=1, max_size=63)
wild_names = (
    st.lists(labels, max_size=5)
    .filter(lambda parts: sum(map(len, parts)) + len(parts) < 255)
    .map(lambda parts: dns.name.Name([*parts, b""]))
)
plain_labels = st.text("abcABC123-_", min_size=1, max_size=12)
plain_names = st.lists(plain_labels, min_size=1, max_size=4).map(".".join)


def message(counts: tuple[int, int, int], body: bytes, flags: int = 0x8180) -> bytes:
    return struct.pack(">6H", 1, flags, 1, *counts) + QUESTION + body


def text_of(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if len(name) > 1 else "."


def test_the_names_of_section_4_1_4_are_read_through_their_pointers():
    octets = bytearray(100)
    octets[20:32] = b"\x01F\x03ISI\x04ARPA\x00"
    octets[40:46] = b"\x03FOO\xc0\x14"
    octets[64:66] = b"\xc0\x1a"
    octets[92] = 0
    seen = [rfc1035_wire.read_name(bytes(octets), at, {}) for at in (20, 40, 64, 92)]
    assert seen == [("f.isi.arpa", 32), ("foo.f.isi.arpa", 46), ("arpa", 66), (".", 93)]
    assert [rfc1035_wire.skip_name(bytes(octets), at) for at in (20, 40, 64, 92)] == [
        32,
        46,
        66,
        93,
    ]


@pytest.mark.parametrize(
    ("octets", "at", "why"),
    [
        (b"\xc0\x00", 0, "leads forward"),
        (b"\xc0\x02\xc0\x00", 0, "leads forward"),
        (b"\x01a\xc0\x00", 0, "makes a loop"),
        (b"\x01a\xc0\x04\xc0\x02", 4, "makes a loop"),
        (b"\x40a\x00", 0, "neither"),
        (b"\x80a\x00", 0, "neither"),
        (b"\x01a\x41", 0, "neither"),
        (b"\x05ab", 0, "inside a name"),
        (b"", 0, "inside a name"),
        (b"\x01a", 0, "inside a name"),
        (b"\xc0", 0, "inside a name"),
        (b"\x01a\xc0", 0, "inside a name"),
        (b"\x05ab\xc0\x00", 3, "inside a name"),
        (b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 3 + b"\0", 0, "more than 255"),
    ],
)
def test_a_malformed_name_is_a_value_error(octets, at, why):
    with pytest.raises(ValueError, match=why):
        rfc1035_wire.read_name(octets, at, {})


def test_a_chain_of_more_pointers_than_a_name_has_labels_is_a_value_error():
    octets = b"\1a\0\0" + b"".join(
        (0xC000 | at).to_bytes(2, "big") for at in (0, *range(4, 4 + 2 * 128, 2))
    )
    assert rfc1035_wire.read_name(octets, 4 + 2 * 127, {}) == ("a", 4 + 2 * 128)
    with pytest.raises(ValueError, match="makes a loop"):
        rfc1035_wire.read_name(octets, 4 + 2 * 128, {})


@given(wild_names)
def test_a_name_of_any_octets_is_written_as_dnspython_writes_it(name):
    wire = name.to_wire()
    text, end = rfc1035_wire.read_name(wire, 0, {})
    assert (text, end) == (text_of(name), len(wire))


@given(wild_names)
def test_what_was_read_can_be_asked(name):
    text = rfc1035_wire.read_name(name.to_wire(), 0, {})[0]
    assert rfc1035_wire.encode_name(text) == name.canonicalize().to_wire()


@given(st.text(st.characters(max_codepoint=300), max_size=80))
@example("@")
def test_any_text_is_a_name_or_a_value_error(text):
    try:
        wire = rfc1035_wire.encode_name(text)
    except ValueError:
        return
    in_a_master_file = r"\@" if text == "@" else text  # there, the origin (RFC 1035, section 5.1)
    assert wire == dns.name.from_text(in_a_master_file).to_wire()


@given(st.integers(0, 0xFFFF))
def test_type_names_and_numbers_are_each_others_inverse(number):
    assert rfc1035_wire.type_number(rfc1035_wire.type_name(number)) == number


@pytest.mark.parametrize("name", sorted(rfc1035_wire.TYPES))
def test_type_numbers_are_those_of_dnspython(name):
    assert rfc1035_wire.TYPES[name] == dns.rdatatype.from_text(name)


@st.composite
def records(draw):
    owner = draw(st.sampled_from(["www.example.com.", "Alias.example.com.", "other.net."]))
    kind = draw(st.sampled_from(["A", "AAAA", "CNAME", "MX", "TXT", "NS", "SRV", "PTR"]))
    data = {
        "A": st.ip_addresses(v=4).map(str),
        "AAAA": st.ip_addresses(v=6).map(str),
        "CNAME": st.just("alias.example.com."),
        "MX": plain_names.map(lambda n: f"10 {n}."),
        "TXT": st.text("abc ", max_size=9).map(lambda text: f'"{text}"'),
        "NS": plain_names.map(lambda n: f"{n}.www.example.com."),
        "SRV": plain_names.map(lambda n: f"1 2 3 {n}."),
        "PTR": plain_names.map(lambda n: f"{n}."),
    }[kind]
    return dns.rrset.from_text(owner, draw(st.integers(0, (1 << 31) - 1)), "IN", kind, draw(data))


@st.composite
def responses(draw):
    """What dnspython writes, names compressed."""
    seen = dns.message.make_response(dns.message.from_wire(ASKED))
    seen.set_rcode(dns.rcode.Rcode.make(draw(st.integers(0, 23))))
    seen.flags |= draw(st.sampled_from([0, 0x0400, 0x0020, 0x0080]))
    if draw(st.booleans()):
        seen.use_edns(payload=draw(st.integers(512, 4096)))
    else:
        seen.use_edns(edns=False)
        seen.set_rcode(dns.rcode.Rcode.make(seen.rcode() & 15))
    for section in (seen.answer, seen.authority, seen.additional):
        section.extend(draw(st.lists(records(), max_size=4)))
    return seen.to_wire()


def mapped() -> bytes:
    """A response with an address that dnspython and Python before 3.13 spell differently."""
    seen = dns.message.make_response(dns.message.from_wire(ASKED))
    seen.answer.append(dns.rrset.from_text("www.example.com.", 0, "IN", "AAAA", "::ffff:192.0.2.1"))
    return seen.to_wire()


@example(mapped())
@given(responses())
def test_dnspython_reads_the_same(octets):
    theirs = dns.message.from_wire(octets, one_rr_per_rrset=True)
    ours = rfc1035.parse(octets, asked=ASKED)
    assert ours.rcode in (dns.rcode.to_text(theirs.rcode()), f"RCODE{theirs.rcode()}")
    assert (ours.id, ours.question_name, ours.question_type, ours.size_bytes) == (
        theirs.id,
        "www.example.com",
        "AAAA",
        len(octets),
    )
    assert ours.edns_bytes == (theirs.payload if theirs.edns >= 0 else None)
    assert [(record.name, record.type, record.ttl_s) for record in ours.answers] == [
        (text_of(rrset.name), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl)
        for rrset in theirs.answer
    ]
    for record, rrset in zip(ours.answers, theirs.answer, strict=True):
        data = rrset[0].to_text()
        if record.type in {"A", "AAAA"}:
            assert (record.address, record.target) == (ip_address(data), "")
        elif record.type == "TXT":
            assert record.target == data
        else:
            assert record.target == data.removesuffix(".").lower()


@given(responses())
def test_the_alias_chain_is_that_of_dnspython(octets):
    ours = rfc1035.parse(octets, asked=ASKED)
    message_read = dns.message.from_wire(octets)
    assert isinstance(message_read, dns.message.QueryMessage)
    try:
        chain = message_read.resolve_chaining()
    except dns.exception.DNSException:
        return  # an NXDOMAIN with an answer, several chains in one: dnspython does not say
    theirs = {IPv6Address(data.address) for data in chain.answer} if chain.answer else set()
    # a name with an alias and an address at once, which RFC 1034 §3.6.2 forbids, has both here
    assert ours.addresses == theirs or len(ours.aliases) > len(chain.cnames)


@given(responses(), st.data())
def test_a_response_cut_anywhere_is_a_value_error(octets, data):
    cut = octets[: data.draw(st.integers(0, len(octets) - 1))]
    with pytest.raises(ValueError, match=r"."):
        rfc1035.parse(cut, asked=ASKED)


def survives(octets: bytes) -> Message | None:
    try:
        return rfc1035.parse(octets, asked=ASKED)
    except ValueError:
        return None


@given(responses(), st.data())
def test_a_response_with_changed_octets_is_a_message_or_a_value_error(octets, data):
    changed = bytearray(octets)
    for at in data.draw(st.lists(st.integers(4, len(octets) - 1), min_size=1, max_size=6)):
        changed[at] = data.draw(st.integers(0, 255))
    seen = survives(bytes(changed))
    assert seen is None or all(
        isinstance(address, IPv4Address | IPv6Address) for address in seen.addresses
    )


@settings(max_examples=300)
@given(
    st.tuples(*[st.integers(0, 4)] * 3), st.binary(max_size=120), st.sampled_from([0x8180, 0x8380])
)
def test_any_octets_after_the_question_are_a_message_or_a_value_error(counts, body, flags):
    seen = survives(message(counts, body, flags))
    assert seen is None or seen.question_name == "www.example.com"


@given(st.binary(max_size=80))
def test_any_octets_at_all_are_a_message_or_a_value_error(octets):
    seen = survives(octets)
    assert seen is None or octets[:2] == ASKED[:2]


record_bodies = st.tuples(
    st.sampled_from(sorted(rfc1035_wire.TYPES.values())), st.binary(max_size=60)
)


@given(st.lists(record_bodies, min_size=1, max_size=4))
def test_records_of_any_known_type_with_any_data_are_a_message_or_a_value_error(bodies):
    body = b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(data)) + data for kind, data in bodies
    )
    seen = survives(message((len(bodies), 0, 0), body))
    assert seen is None or len(seen.answers) == len(bodies)


def chain(length: int) -> bytes:
    """Data of a first record: pointers, each to the one before, the first to the question."""
    return b"".join(
        (0xC000 | (12 if at == 45 else at - 2) & 0x3FFF).to_bytes(2, "big")
        for at in range(45, 45 + 2 * length, 2)
    )


def record(kind: int, data: bytes, owner: bytes = b"\xc0\x0c") -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, 0, len(data)) + data


NESTED = record(65280, chain(8000))
LONG_NAMES = record(65280, (b"\1a" * 126 + b"\0\0") * 24)
HOSTILE = {
    "huge-counts": message((65535, 65535, 65535), b""),
    "huge-counts-of-root-records": message((65535, 0, 0), (b"\0" + bytes(10)) * 5900),
    "one-address-2300-times": message((2300, 0, 0), record(28, bytes(16)) * 2300),
    "longest-chain-of-pointers-4000-times": message(
        (4001, 0, 0),
        NESTED
        + b"".join(record(2, (0xC000 | 45 + 2 * 125).to_bytes(2, "big")) for _ in range(4000)),
    ),
    "chain-of-8000-pointers": message((2, 0, 0), NESTED + record(2, b"\xfe\x81")),
    "2900-distinct-long-names": message(
        (2901, 0, 0),
        LONG_NAMES
        + b"".join(
            record(1, bytes(4), (0xC000 | 45 + 2 * at).to_bytes(2, "big")) for at in range(2900)
        ),
    ),
    "2900-distinct-long-names-behind-a-label": message(
        (2901, 0, 0),
        LONG_NAMES
        + b"".join(
            record(1, bytes(4), b"\1b" + (0xC000 | 47 + 2 * at).to_bytes(2, "big"))
            for at in range(2900)
        ),
    ),
    "alias-chain": message(
        (2000, 0, 0),
        b"".join(record(5, b"\4%04x\0" % (at + 1), b"\4%04x\0" % at) for at in range(2000)),
    ),
    "text-of-65000-octets": message((1, 0, 0), record(16, (b"\xff" + b"a" * 255) * 250)),
    "many-names-in-one-record": message((1, 0, 0), record(47, chain(30000))),
}


@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE)
def test_hostile_octets_are_read_to_an_end(octets):
    seen = survives(octets)
    assert seen is None or len(seen.addresses) <= 1
