"""Does the ladder name the first broken rung, its cause and its cure, and ask no more than it
needs?
"""

from base64 import b64decode
from dataclasses import replace
from ipaddress import IPv6Address

import dns.message
import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.clouds.aws import AWS
from pytest_v6probe.diagnose import Diagnosis, Key, Rung, diagnose
from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.probes.addresses import Addresses
from pytest_v6probe.probes.dns64 import Dns64
from pytest_v6probe.probes.http import Http
from pytest_v6probe.probes.icmp import Ping
from pytest_v6probe.probes.imds import Imds
from pytest_v6probe.probes.lookup import Lookup
from pytest_v6probe.probes.nat64 import Nat64
from pytest_v6probe.probes.ra import RouterAdvertisements
from pytest_v6probe.probes.resolver import Resolver
from pytest_v6probe.probes.route import DefaultRoute
from pytest_v6probe.result import Endpoint, Finding, Layer, Path
from pytest_v6probe.vantage import Vantage
from tests.unit.probes import seen

NAME = "www.example.com"
NATIVE = {"AAAA": ("2001:db8::1",), "A": ("192.0.2.1",)}
IPV4_ONLY = {"AAAA": (), "A": ("192.0.2.1",)}
SYNTHESISED = {"AAAA": ("64:ff9b::c000:201",), "A": ("192.0.2.1",)}


class Machine:
    """An agent's end of a whole host, healthy unless told otherwise; it counts the batches."""

    def __init__(
        self,
        *,
        flags=0x80,
        routes=("fe80::1",),
        ra_counted=1,
        accept_ra=1,
        records=NATIVE,
        resolver="answers",
    ):
        self.octets = b"".join(
            (
                seen.link(),
                seen.address(str(seen.HOST), flags=flags),
                *(seen.default_route(gateway) for gateway in routes),
            )
        )
        self.watched = Reply(
            "answered" if ra_counted else "timed-out",
            fields={"events": [], "counters": {"eth0": [4, 4 + ra_counted]}},
        )
        self.settings = seen.ra_settings(accept_ra)
        self.records, self.resolver, self.batches = records, resolver, []

    def run(self, operations):
        self.batches.append([operation["op"] for operation in operations])
        return [getattr(self, operation["op"])(operation) for operation in operations]

    def netlink(self, _):
        return Reply("answered", self.octets)

    def read(self, _):
        return self.settings

    def watch(self, _):
        return self.watched

    def udp(self, operation):
        query = b64decode(operation["payload"])
        if self.resolver != "answers":
            return Reply(self.resolver)
        question = dns.message.from_wire(query).question[0]
        kind = question.rdtype.name
        data = {"NS": ("a.root-servers.net.",)}.get(kind) or self.records.get(kind, ())
        return seen.dns(query, *(f"{question.name} 60 IN {kind} {value}" for value in data))

    def close(self):
        pass


def vantage(machine):
    return Vantage(
        name=seen.VANTAGE,
        region="us-east-1",
        host=Host(name="web-1", address=seen.HOST),
        connect=lambda: machine,
        prefixes=lambda _: frozenset({seen.WKP}),
    )


HTTP = Http(vantage=seen.VANTAGE, asked=f"GET http://{NAME}/", verdict="timed-out", name_asked=NAME)
PING = Ping(vantage=seen.VANTAGE, asked="ping 2001:db8::1", verdict="timed-out")
THROUGH = replace(
    HTTP, verdict="timed-out", path=Path.NAT64, remote=Endpoint(IPv6Address("64:ff9b::1"), 80)
)
LOOKUP = Lookup(vantage=seen.VANTAGE, asked="x AAAA", verdict="nodata", name=NAME, type="AAAA")
DNS64 = Dns64(vantage=seen.VANTAGE, asked="x", verdict="no-aaaa", name=NAME)
ROUTE = DefaultRoute(vantage=seen.VANTAGE, asked="::/0", verdict="absent")


@pytest.mark.parametrize(
    ("machine", "finding", "layer", "verdict"),
    [
        pytest.param({"flags": 0x48}, HTTP, Layer.ADDRESS, "duplicate", id="duplicate-address"),
        pytest.param({"routes": (), "ra_counted": 0}, HTTP, Layer.RA, "not-heard", id="no-ra"),
        pytest.param({"routes": ()}, HTTP, Layer.RA, "lifetime-zero", id="lifetime-zero"),
        pytest.param(
            {"routes": (), "accept_ra": 0}, HTTP, Layer.RA, "not-accepted", id="accept-ra-off"
        ),
        pytest.param(
            {"routes": ("fe80::1", "fe80::bad")},
            HTTP,
            Layer.RA,
            "several-routers",
            id="rogue-router",
        ),
        pytest.param(
            {"resolver": "timed-out"}, HTTP, Layer.RESOLVER, "timed-out", id="resolver-silent"
        ),
        pytest.param({"records": {}}, HTTP, Layer.ANSWER, "no-records", id="name-without-records"),
        pytest.param({"records": IPV4_ONLY}, HTTP, Layer.SYNTHESIS, "no-aaaa", id="no-synthesis"),
        pytest.param(
            {"records": {**IPV4_ONLY, "AAAA": ("64:ff9b::c000:202",)}},
            HTTP,
            Layer.SYNTHESIS,
            "embedded-mismatch",
            id="embedded-address-wrong",
        ),
        pytest.param(
            {"records": SYNTHESISED}, THROUGH, Layer.TCP, "timed-out", id="translator-down"
        ),
        pytest.param(
            {"records": SYNTHESISED},
            replace(THROUGH, verdict="no-route"),
            Layer.ROUTE,
            "no-route",
            id="no-route-to-the-translator",
        ),
        pytest.param(
            {"records": SYNTHESISED},
            replace(THROUGH, verdict="ok"),
            Layer.SYNTHESIS,
            "ok",
            id="reached-but-not-natively",
        ),
        pytest.param({}, HTTP, Layer.TCP, "timed-out", id="native-site-black-holed"),
        pytest.param(
            {}, replace(HTTP, verdict="stalled"), Layer.PATH_MTU, "stalled", id="black-hole"
        ),
        pytest.param(
            {}, replace(HTTP, verdict="status-503"), Layer.HTTP, "status-503", id="server-error"
        ),
        pytest.param(
            {"resolver": "timed-out"},
            PING,
            Layer.ICMP,
            "timed-out",
            id="a-literal-needs-no-resolver",
        ),
        pytest.param({}, LOOKUP, Layer.ANSWER, "nodata", id="no-such-record"),
        pytest.param(
            {"resolver": "timed-out"}, LOOKUP, Layer.RESOLVER, "timed-out", id="no-answer-at-all"
        ),
        pytest.param({}, DNS64, Layer.SYNTHESIS, "no-aaaa", id="dns64-off"),
        pytest.param({"ra_counted": 0}, ROUTE, Layer.RA, "not-heard", id="route-not-renewed"),
        pytest.param({}, ROUTE, Layer.ROUTE, "absent", id="route-gone-though-advertised"),
    ],
)
def test_the_first_broken_layer_is_named(machine, finding, layer, verdict):
    found = diagnose(vantage(Machine(**machine)), finding, AWS)
    assert found.layer is layer
    broken = [rung for rung in found.rungs if not rung.holds]
    assert broken[-1].verdict == verdict
    assert found.cause


def test_the_whole_diagnosis():
    found = diagnose(vantage(Machine(flags=0x48)), PING, AWS)
    assert found == Diagnosis(
        layer=Layer.ADDRESS,
        cause="another machine on the link uses the address (RFC 4862 §5.4.5)",
        cure="ip -6 address show dadfailed  # then give one of the two another address",
        rungs=(
            Rung(
                layer=Layer.ADDRESS,
                verdict="duplicate",
                holds=False,
                line=f"{seen.HOST}: duplicate (eth0 {seen.HOST}/64 dadfailed tentative)",
            ),
            Rung(
                layer=Layer.ROUTE,
                verdict="present",
                holds=True,
                line="::/0: present (default via fe80::1 dev eth0 proto ra metric 1024 expires 1800 s)",
            ),
        ),
    )


def test_all_rungs_travel_in_one_batch_and_nobody_listens_where_the_route_is_there():
    machine = Machine()
    diagnose(vantage(machine), HTTP, AWS)
    assert [sorted(batch) for batch in machine.batches] == [
        ["netlink", "netlink", "read", "udp", "udp", "udp"]
    ]


def test_many_failures_at_one_vantage_walk_once():
    known: dict[Key, Finding] = {}
    machine = Machine(resolver="timed-out")
    at = vantage(machine)
    assert diagnose(at, HTTP, AWS, seen=known).layer is Layer.RESOLVER
    asked = len(machine.batches)
    assert (
        diagnose(at, replace(HTTP, name_asked="other.example"), AWS, seen=known).layer
        is Layer.RESOLVER
    )
    assert len(machine.batches) == asked


@pytest.mark.parametrize(
    "finding",
    [
        Addresses(vantage=seen.VANTAGE, asked="x", verdict="absent"),
        RouterAdvertisements(vantage=seen.VANTAGE, asked="x", verdict="not-heard"),
    ],
)
def test_what_rests_on_nothing_is_its_own_first_layer(finding):
    machine = Machine()
    found = diagnose(vantage(machine), finding, AWS)
    assert found.layer is finding.layer
    assert machine.batches == []


def test_what_explains_is_not_witnessed_as_a_finding_of_the_test():
    witnessed: list[Finding] = []
    at = replace_witness(vantage(Machine()), witnessed.append)
    diagnose(at, HTTP, AWS)
    assert witnessed == []


def replace_witness(at, witness):
    at.witness = witness
    return at


def test_a_vantage_that_cannot_be_asked_is_said_to_be_so():
    def gone():
        raise VantageUnreachable("no way in", reason="timed-out")

    at = vantage(Machine())
    at.connect = gone
    found = diagnose(at, HTTP, AWS)
    assert (found.layer, found.cure) == (Layer.TCP, "")
    assert found.cause == f"the ladder could not be walked at {seen.VANTAGE}: no way in"


@pytest.mark.parametrize(
    ("finding", "command"),
    [
        (THROUGH, "aws ec2 create-route"),
        (
            Nat64(
                vantage=seen.VANTAGE,
                asked="x",
                verdict="dns64-without-nat64",
                connection="timed-out",
                path=Path.NAT64,
            ),
            "aws ec2 create-route",
        ),
        (DNS64, "--enable-dns64"),
        (
            Imds(vantage=seen.VANTAGE, asked="x", verdict="token-unanswered"),
            "--http-put-response-hop-limit 2",
        ),
        (Imds(vantage=seen.VANTAGE, asked="x", verdict="off"), "--http-protocol-ipv6 enabled"),
        (
            Resolver(vantage=seen.VANTAGE, asked="x", verdict="timed-out", over="udp"),
            "--enable-dns-support",
        ),
    ],
)
def test_the_cure_fits_the_verdict(finding, command):
    assert command in diagnose(vantage(Machine(records=SYNTHESISED)), finding, AWS).cure


def test_a_finding_that_knows_its_cause_is_believed():
    class Known(Http):
        """An answer that explains itself."""

        @property
        def known_cause(self) -> tuple[str, str]:
            return "the dog ate it", "feed the dog"

    finding = Known(
        vantage="web-1", asked="GET x", verdict="status-500", name_asked=NAME, status=500
    )
    found = diagnose(vantage(Machine(resolver="silent")), finding, AWS)
    assert (found.layer, found.cause, found.cure) == (Layer.HTTP, "the dog ate it", "feed the dog")


@pytest.mark.parametrize(
    ("inside", "carrier", "layer"),
    [
        pytest.param({"resolver": "timed-out"}, {}, Layer.FORWARDING, id="its-host-is-answered"),
        pytest.param(
            {"resolver": "timed-out"},
            {"resolver": "timed-out"},
            Layer.RESOLVER,
            id="nobody-is-answered",
        ),
        pytest.param({"flags": 0x48, "resolver": "timed-out"}, {}, Layer.ADDRESS, id="no-address"),
        pytest.param({}, {}, Layer.HTTP, id="both-are-answered"),
    ],
)
def test_a_host_that_does_not_forward_for_its_container_is_named(inside, carrier, layer):
    finding = replace(HTTP, verdict="status-500", status=500)
    host = vantage(Machine(**carrier))
    assert diagnose(vantage(Machine(**inside)), finding, AWS, carrier=host).layer is layer
