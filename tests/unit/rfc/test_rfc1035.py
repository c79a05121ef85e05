"""Are DNS queries made and responses read as RFC 1035 lays them out?"""

from ipaddress import IPv4Address, IPv6Address

import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc import rfc1035
from pytest_v6probe.rfc.rfc1035 import Message, Record

NAME = "ec2-44-210-107-93.compute-1.amazonaws.com"
ASKED = rfc1035.query(NAME, "AAAA", id=0x1234)
SYNTHESISED = IPv6Address("64:ff9b::2cd2:6b5d")


def respond(*records: str, asked: bytes = ASKED, **sections: tuple[str, ...]) -> bytes:
    """The response that dnspython writes for *records* in the form of a master file."""
    message = dns.message.make_response(dns.message.from_wire(asked), recursion_available=True)
    for section, texts in {"answer": records, **sections}.items():
        for text in texts:
            name, ttl_s, rclass, rtype, data = text.split(maxsplit=4)
            rrset = dns.rrset.from_text(name, int(ttl_s), rclass, rtype, data)
            getattr(message, section).append(rrset)
    return message.to_wire()


def test_a_query_is_written_out_octet_by_octet():
    assert rfc1035.query("a.example", "AAAA", id=0xABCD) == bytes.fromhex(
        "abcd 0100 0001 0000 0000 0001  01 61 07 6578616d706c65 00  001c 0001"
        "  00 0029 04d0 00000000 0000"
    )


def test_a_query_without_edns_has_no_opt_record():
    assert rfc1035.query("a.example.", "A", id=0, edns_bytes=None) == bytes.fromhex(
        "0000 0100 0001 0000 0000 0000  01 61 07 6578616d706c65 00  0001 0001"
    )


@given(
    st.sampled_from(["A", "AAAA", "TXT", "HTTPS", "TYPE65280", "ANY"]),
    st.one_of(st.none(), st.integers(0, 65535)),
    st.integers(0, 65535),
)
def test_dnspython_reads_the_query_as_it_was_meant(rtype, edns_bytes, number):
    octets = rfc1035.query("www.Example.com", rtype, id=number, edns_bytes=edns_bytes)
    seen = dns.message.from_wire(octets)
    assert (seen.id, seen.flags, seen.opcode(), seen.ednsflags) == (number, dns.flags.RD, 0, 0)
    assert seen.question == [dns.rrset.from_text("www.Example.com.", 0, "IN", rtype)]
    assert (seen.edns, seen.payload) == ((-1, 0) if edns_bytes is None else (0, edns_bytes))


def test_ids_are_random():
    assert len({rfc1035.query("a", "A")[:2] for _ in range(200)}) > 100


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "label of 0 octets"),
        ("a..b", "label of 0 octets"),
        (".a", "label of 0 octets"),
        ("a" * 64, "label of 64 octets"),
        (".".join(["a" * 63] * 4), "has 257 octets"),
        ("a b", "not a DNS name"),
        ("é.example", "not a DNS name"),
        ("a\n", "not a DNS name"),
        ("a\\", "middle of an escape"),
        ("a\\256", "no octet"),
        ("a\\12", "no octet"),
        ("..", "label of 0 octets"),
        ("a\\...b", "label of 0 octets"),
    ],
)
def test_a_name_that_cannot_be_asked_is_a_value_error(name, why):
    with pytest.raises(ValueError, match=why):
        rfc1035.query(name, "A")


def test_the_longest_name_can_be_asked():
    name = ".".join(["a" * 63] * 3 + ["b" * 61])
    asked = rfc1035.query(name, "A")
    assert rfc1035.parse(respond(asked=asked), asked=asked).question_name == name


@pytest.mark.parametrize("rtype", ["", "aaaa", "TYPE", "TYPE65536", "TYPE-1", "TYPE²", "NOPE"])
def test_a_type_that_is_none_is_a_value_error(rtype):
    with pytest.raises(ValueError, match="no such record type"):
        rfc1035.query("a", rtype)


def test_a_synthesised_answer_is_read_whole():
    octets = respond(f"{NAME}. 60 IN AAAA 64:ff9b::2cd2:6b5d")
    assert rfc1035.parse(octets, asked=ASKED) == Message(
        id=0x1234,
        rcode="NOERROR",
        truncated=False,
        authoritative=False,
        authentic=False,
        question_name=NAME,
        question_type="AAAA",
        size_bytes=len(octets),
        edns_bytes=8192,
        answers=(Record(name=NAME, type="AAAA", ttl_s=60, address=SYNTHESISED),),
    )


def test_the_flags_and_the_extended_rcode_are_read():
    message = dns.message.make_response(dns.message.from_wire(ASKED))
    message.flags |= dns.flags.AA | dns.flags.AD | dns.flags.TC
    message.use_edns(payload=512)
    message.set_rcode(dns.rcode.BADVERS)
    seen = rfc1035.parse(message.to_wire(), asked=ASKED)
    assert (seen.rcode, seen.truncated, seen.authoritative, seen.authentic, seen.edns_bytes) == (
        "BADVERS",
        True,
        True,
        True,
        512,
    )


@pytest.mark.parametrize(
    ("rcode", "text"),
    [(0, "NOERROR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (15, "RCODE15")],
)
def test_every_rcode_has_a_name(rcode, text):
    octets = respond()
    changed = octets[:3] + bytes([octets[3] & 0xF0 | rcode]) + octets[4:]
    assert rfc1035.parse(changed, asked=ASKED).rcode == text


CHAIN = (
    f"{NAME}. 60 IN CNAME b.example.",
    "b.example. 60 IN CNAME C.example.",
    "c.example. 30 IN AAAA 2001:db8::1",
    "c.example. 30 IN A 192.0.2.1",
)


def test_addresses_are_those_at_the_end_of_the_alias_chain_and_of_the_asked_type():
    stranger = "other.example. 30 IN AAAA 2001:db8::bad"
    for records in (CHAIN, CHAIN[::-1]):
        seen = rfc1035.parse(respond(*records, stranger), asked=ASKED)
        assert seen.aliases == ("b.example", "c.example")
        assert seen.addresses == {IPv6Address("2001:db8::1")}


def test_an_alias_loop_ends():
    seen = rfc1035.parse(
        respond(f"{NAME}. 1 IN CNAME b.", f"b. 1 IN CNAME {NAME}.", "b. 1 IN AAAA 2001:db8::1"),
        asked=ASKED,
    )
    assert seen.aliases == ("b", NAME)
    assert seen.addresses == {IPv6Address("2001:db8::1")}


def test_addresses_in_other_sections_are_not_the_answer():
    octets = respond(
        authority=("example. 9 IN SOA ns.example. a.example. 1 2 3 4 5",),
        additional=(f"{NAME}. 9 IN AAAA 2001:db8::1",),
    )
    seen = rfc1035.parse(octets, asked=ASKED)
    assert (seen.answers, seen.addresses, seen.edns_bytes) == ((), frozenset(), 8192)


@pytest.mark.parametrize(
    ("rtype", "data", "target"),
    [
        ("NS", "NS.Example.", "ns.example"),
        ("PTR", "a.b.", "a.b"),
        ("MX", "10 mx.c.", "10 mx.c"),
        ("SRV", "1 2 443 s.", "1 2 443 s"),
        ("MX", "0 .", "0 ."),
        ("CNAME", r"a\.b.c.", r"a\.b.c"),
        ("SOA", "n. m. 1 2 3 4 4294967295", "n m 1 2 3 4 4294967295"),
        ("TXT", '"v=1 A" "b"', '"v=1 A" "b"'),
        ("CAA", '0 issue "x"', '0 issue "x"'),
        ("HTTPS", '1 . alpn="h3"', '1 . alpn="h3"'),
        ("TYPE65280", r"\# 2 abcd", r"\# 2 abcd"),
        ("HINFO", "a b", r"\# 4 01610162"),
        ("TYPE65281", r"\# 0", r"\# 0"),
        ("DNAME", "d.e.", "d.e"),
    ],
)
def test_the_data_of_other_types_is_written_as_a_master_file_does(rtype, data, target):
    asked = rfc1035.query("x.example", "ANY")
    seen = rfc1035.parse(respond(f"x.example. 5 IN {rtype} {data}", asked=asked), asked=asked)
    name = "TYPE13" if rtype == "HINFO" else rtype
    assert seen.answers == (Record(name="x.example", type=name, ttl_s=5, target=target),)


def test_the_root_is_a_dot():
    asked = rfc1035.query(".", "NS")
    seen = rfc1035.parse(respond(". 9 IN NS a.root-servers.net.", asked=asked), asked=asked)
    assert seen.question_name == "."
    assert seen.answers == (Record(name=".", type="NS", ttl_s=9, target="a.root-servers.net"),)


def test_the_question_may_come_back_in_another_case():
    octets = respond(f"{NAME}. 60 IN AAAA 64:ff9b::2cd2:6b5d")
    upper = octets[:12] + octets[12 : 12 + 43].upper() + octets[12 + 43 :]
    seen = rfc1035.parse(upper, asked=ASKED)
    assert seen.question_name == NAME
    assert seen.addresses == {SYNTHESISED}


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (respond()[:11], "too few for a DNS header"),
        (b"\x12\x35" + respond()[2:], "the id is 1235, that of the query 1234"),
        (ASKED, "not the response to a query"),
        (respond()[:2] + b"\xa8" + respond()[3:], "not the response to a query"),
        (respond()[:4] + bytes(8), "answers another question: 0 of them"),
        (respond()[:5] + b"\2" + respond()[6:], "answers another question: 2 of them"),
        (
            b"\x12\x34" + respond(asked=rfc1035.query("b.example", "AAAA"))[2:],
            f"answers another question: b.example AAAA instead of {NAME} AAAA",
        ),
        (
            b"\x12\x34" + respond(asked=rfc1035.query(NAME, "A"))[2:],
            f"answers another question: {NAME} A instead of {NAME} AAAA",
        ),
        (respond() + b"\0", "1 octets follow the end"),
        (respond(f"{NAME}. 60 IN AAAA ::1")[:-12], "end at"),
        (respond()[:7] + b"\1" + respond()[8:], "end at"),
    ],
)
def test_what_is_no_answer_to_the_question_is_a_value_error(octets, why):
    with pytest.raises(ValueError, match=why):
        rfc1035.parse(octets, asked=ASKED)


def test_a_type_is_not_compared_without_its_case():
    """Type 65 is the octet of ``A``, type 97 that of ``a``."""
    asked = rfc1035.query("x.example", "TYPE65", id=1)
    other = respond(asked=rfc1035.query("x.example", "TYPE97", id=1))
    with pytest.raises(ValueError, match=r"answers another question: x\.example TYPE97"):
        rfc1035.parse(other, asked=asked)


def test_a_server_that_cannot_read_the_query_need_not_repeat_the_question():
    seen = rfc1035.parse(bytes.fromhex("1234 8181 0000 0000 0000 0000"), asked=ASKED)
    assert (seen.rcode, seen.question_name, seen.answers) == ("FORMERR", NAME, ())


@pytest.mark.parametrize("length", range(len(ASKED) - 11, 130))
def test_a_truncated_message_may_end_anywhere_after_its_question(length):
    octets = respond(f"{NAME}. 60 IN AAAA 64:ff9b::2cd2:6b5d", f"{NAME}. 60 IN AAAA ::1")
    cut = octets[:2] + bytes([octets[2] | 0x02]) + octets[3 : min(length, len(octets))]
    seen = rfc1035.parse(cut, asked=ASKED)
    assert seen.truncated
    assert seen.addresses <= {SYNTHESISED, IPv6Address("::1")}


def test_a_ttl_with_the_high_bit_is_zero_as_rfc_2181_has_it():
    octets = respond(f"{NAME}. 60 IN AAAA ::1")
    at = octets.index(bytes.fromhex("001c00010000003c"))
    changed = octets[: at + 4] + b"\xff" + octets[at + 5 :]
    assert rfc1035.parse(changed, asked=ASKED).answers[0].ttl_s == 0


def test_an_address_of_the_wrong_length_is_a_value_error():
    octets = respond(f"{NAME}. 60 IN AAAA ::1")
    with pytest.raises(ValueError, match="address of 16 octets where 4 belong"):
        rfc1035.parse(
            octets.replace(
                b"\x00\x1c\x00\x01\x00\x00\x00\x3c", b"\x00\x01\x00\x01\x00\x00\x00\x3c"
            ),
            asked=ASKED,
        )


def test_an_ipv4_answer_is_read():
    asked = rfc1035.query(NAME, "A")
    seen = rfc1035.parse(respond(f"{NAME}. 60 IN A 44.210.107.93", asked=asked), asked=asked)
    assert seen.addresses == {IPv4Address("44.210.107.93")}
