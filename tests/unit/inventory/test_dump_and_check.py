"""Is what is written read back the same, and does the summary say what is there?"""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.inventory.check import summary
from pytest_v6probe.inventory.consistency import problems
from pytest_v6probe.inventory.dump import to_toml
from pytest_v6probe.inventory.literals import web_host
from pytest_v6probe.inventory.model import (
    Cluster,
    Container,
    Docker,
    Environment,
    Host,
    Image,
    Inventory,
    LoadBalancer,
    Login,
    Namespace,
    Pod,
    Role,
    Service,
    Site,
)
from pytest_v6probe.inventory.toml import read
from pytest_v6probe.result import Endpoint

FILE = Path("env.toml")
HOST_ROLES = [role for role in Role if role not in (Role.CONTAINER, Role.POD, Role.NODE)]
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,6}[a-z0-9]", fullmatch=True)
IPV6 = st.ip_addresses(v=6, network="2001:db8::/32")
LOGINS = st.builds(
    Login, host=st.one_of(NAMES, st.ip_addresses(v=4), IPV6), user=st.one_of(st.just(""), NAMES),
    port=st.integers(0, 65535),
)  # fmt: skip
SPACES = st.builds(Namespace, name=NAMES)
WAYS = st.one_of(
    st.fixed_dictionaries({"local": st.just(True)}),
    st.fixed_dictionaries({"namespace": SPACES}),
    st.fixed_dictionaries({"ssh": LOGINS, "via": st.one_of(st.none(), SPACES)}),
)


@st.composite
def hosts(draw, name):
    fields = draw(WAYS) | {
        "name": name,
        "region": draw(st.sampled_from(["", "us-east-1", "r2"])),
        "role": draw(st.sampled_from(HOST_ROLES)),
        "sudo": draw(st.booleans()),
        "management": draw(st.one_of(st.none(), LOGINS, SPACES)),
        "address": draw(st.one_of(st.none(), IPV6)),
        "resource_name": draw(st.one_of(st.just(""), NAMES)),
        "imds_tokens": draw(st.sampled_from(["", "optional", "required"])),
        "python": draw(st.sampled_from(["python3", "/usr/bin/python3.6"])),
    }
    return Host(**fields)


@st.composite
def sites(draw, name):
    url = f"{draw(st.sampled_from(['http', 'https']))}://{name}{draw(st.sampled_from(['', '/', ':8080/x?y=1']))}"
    ipv4 = draw(st.frozensets(st.ip_addresses(v=4), max_size=2))
    families = (
        ("ipv4",) if ipv4 else draw(st.sampled_from([("ipv4",), ("ipv6", "ipv4"), ("ipv6",)]))
    )
    return Site(
        name=str(web_host(url)), url=url, families=families, ipv4_addresses=ipv4,
        large_url=draw(st.sampled_from(["", url, "http://x/large"])),
        ca=draw(st.sampled_from(["", '-----BEGIN CERTIFICATE-----\nA\x7f"\\é\n'])),
    )  # fmt: skip


@st.composite
def inventories(draw):
    environment = Environment(
        name=draw(NAMES), cloud=draw(st.sampled_from(["aws", "azure", "gcp"])), lab=draw(NAMES),
        nat64_prefix=draw(st.one_of(st.none(), st.ip_addresses(v=6).map(_prefix))),
    )  # fmt: skip
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    places = [draw(hosts(name)) for name in names]
    engines = [draw(dockers(host.id)) for host in places]
    inside = [draw(containers(host)) for host in places]
    known = [draw(clusters(name)) for name in names]
    return Inventory(
        environment=environment,
        hosts=(
            *places,
            *(draw(nodes(cluster)) for cluster in known),
            *inside,
            *(draw(pods(cluster)) for cluster in known),
        ),
        clusters=tuple(known),
        services=tuple(draw(services(cluster)) for cluster in known),
        load_balancers=tuple(draw(load_balancers(cluster)) for cluster in known),
        sites=tuple(draw(sites(name)) for name in names),
        dockers=tuple(engines),
        images=tuple(draw(images(name)) for name in names),
    )


FAMILIES = st.sampled_from([("ipv6",), ("ipv6", "ipv4"), ("ipv4", "ipv6")])
RANGES = st.sampled_from([(), (IPv6Network("fd00:10:96::/112"), IPv4Network("10.96.0.0/16"))])


@st.composite
def clusters(draw, name):
    return Cluster(
        name=f"k-{name}",
        families=draw(FAMILIES),
        region=draw(st.sampled_from(["", "us-east-1", "r2"])),
        kubeconfig=draw(st.sampled_from(["", "~/.kube/prod", "/etc/kubeconfig"])),
        context=draw(st.sampled_from(["", "arn:aws:eks:us-east-1:1:cluster/prod"])),
        via=draw(st.one_of(st.none(), SPACES)),
        service_ranges=draw(RANGES),
        pod_ranges=draw(RANGES),
        node_ranges=draw(RANGES),
        dns_service=draw(st.sampled_from(["kube-system/kube-dns", "dns/coredns"])),
    )


@st.composite
def nodes(draw, cluster):
    return Host(
        name=f"{cluster.name}-node-1",
        region=cluster.region,
        role=Role.NODE,
        cluster=cluster.id,
        namespace=draw(SPACES),
    )


ADMINS = tuple(Endpoint(ip_address(text), 15000) for text in ("127.0.0.1", "::1"))


@st.composite
def pods(draw, cluster):
    own = Pod(
        cluster=cluster.id,
        namespace=draw(st.sampled_from(["default", "shop"])),
        selector=draw(st.sampled_from(["app=web", "app=web,tier!=cache"])),
        container=draw(st.sampled_from(["", "nginx"])),
        node=draw(st.sampled_from(["", "node-1"])),
        debug_image=draw(st.sampled_from(["", "python:3-alpine"])),
        envoy_admin=draw(st.sampled_from([None, *ADMINS])),
    )
    return Host(name=f"{cluster.name}.web", region=cluster.region, role=Role.POD, pod=own)


@st.composite
def services(draw, cluster):
    return Service(
        name="web",
        cluster=cluster.id,
        families=draw(FAMILIES),
        namespace=draw(st.sampled_from(["default", "shop"])),
        type=draw(st.sampled_from(["ClusterIP", "NodePort", "Headless"])),
        http=(http := draw(st.booleans())),
        mesh=http and draw(st.booleans()),
    )


@st.composite
def load_balancers(draw, cluster):
    return LoadBalancer(
        name="web",
        cluster=cluster.id,
        families=draw(FAMILIES),
        namespace=draw(st.sampled_from(["default", "shop"])),
        service=draw(st.sampled_from(["", "web-lb"])),
        pool=draw(RANGES),
        client_address_page=draw(st.sampled_from(["", "/whoami?as=text"])),
        http=draw(st.booleans()),
    )


@st.composite
def dockers(draw, host):
    url = draw(st.sampled_from(["", "tcp://[2001:db8::1]:2376"]))
    return Docker(
        host=host,
        url=url,
        certificates="~/.docker" if url else "",
        socket=draw(st.sampled_from(["/var/run/docker.sock", "/run/user/1/docker.sock"])),
        restart=draw(st.sampled_from([("systemctl", "restart", "docker"), ("snap", "x y")])),
    )


@st.composite
def containers(draw, carrier):
    port = st.sampled_from([0, 80, 8080])
    return Host(
        name=f"{carrier.name}.web",
        region=carrier.region,
        role=Role.CONTAINER,
        behind=carrier.name,
        address=draw(st.one_of(st.none(), IPV6)),
        container=Container(
            name="web",
            helper_image=draw(st.sampled_from(["", "python:3"])),
            port=draw(port),
            published_port=draw(port),
        ),
    )


@st.composite
def images(draw, name):
    return Image(
        reference=f"{name}/alpine:latest",
        push=draw(st.booleans()),
        insecure=draw(st.booleans()),
        mirror=draw(st.sampled_from(["", "mirror.example.com:5000"])),
        ca=draw(st.sampled_from(["", "-----BEGIN CERTIFICATE-----\nA\n"])),
    )


def _prefix(address):
    from ipaddress import IPv6Network

    return IPv6Network((address, 96), strict=False)


@given(inventories())
def test_what_is_written_is_read_back_the_same(inventory):
    assert list(problems(inventory)) == []
    assert read(to_toml(inventory), file=FILE) == inventory


@given(inventories())
def test_a_summary_names_every_host_and_site(inventory):
    lines = summary(inventory).splitlines()
    listed = {line.split()[0] for line in lines if line.startswith("  ")}
    assert listed == {
        *(host.id for host in inventory.hosts),
        *(site.id for site in inventory.sites),
        *(docker.host for docker in inventory.dockers),
        *(image.id for image in inventory.images),
        *(cluster.id for cluster in inventory.clusters),
        *(service.id for service in inventory.services),
        *(balancer.id for balancer in inventory.load_balancers),
    }


WEB = Host(name="web-1", region="us-east-1", ssh=Login(host="web.example", user="ec2-user"))
PRIVATE = Host(
    name="private-1", region="us-east-1", role=Role.EGRESS_ONLY, ssh=Login(host="10.0.0.1"), via="web-1",
    management=Namespace(name="us-east-1/private-1"),
)  # fmt: skip
TASK = Host(name="t", role=Role.NESTED, namespace=Namespace(name="t"), behind="us-east-1/web-1")
HERE = Host(name="here", local=True)
ENVIRONMENT = Environment(name="prod", cloud="aws", lab="aws")
GOOGLE = Site(name="www.google.com", url="http://www.google.com/", families=("ipv4", "ipv6"))


def test_keys_that_say_nothing_new_are_not_written():
    assert to_toml(Inventory(environment=ENVIRONMENT, hosts=(WEB,), sites=(GOOGLE,))) == (
        '[environment]\nname = "prod"\ncloud = "aws"\nlab = "aws"\n\n'
        '[[host]]\nname = "web-1"\nregion = "us-east-1"\nssh = "ec2-user@web.example"\n\n'
        '[[site]]\nurl = "http://www.google.com/"\nfamilies = ["ipv4", "ipv6"]\n'
    )


def test_the_summary_is_aligned_text():
    regional = replace(GOOGLE, region="us-east-1")
    inventory = Inventory(
        environment=ENVIRONMENT, hosts=(WEB, PRIVATE, TASK, HERE), sites=(regional,)
    )
    assert summary(inventory) == (
        "environment  prod (aws, lab aws)\n"
        "regions      us-east-1\n"
        "vantages     4\n"
        "  us-east-1/web-1      instance     ssh ec2-user@web.example\n"
        "  us-east-1/private-1  egress-only  ssh 10.0.0.1 via web-1, else netns:us-east-1/private-1\n"
        "  t                    nested       netns:t, behind us-east-1/web-1\n"
        "  here                 instance     this machine\n"
        "sites        1\n"
        "  www.google.com  ipv4+ipv6  http://www.google.com/ (only from us-east-1)\n"
    )


def test_an_empty_inventory_has_a_summary():
    text = summary(Inventory(environment=Environment(name="e", cloud="gcp")))
    assert text == "environment  e (gcp)\nregions      none named\nvantages     0\nsites        0\n"
