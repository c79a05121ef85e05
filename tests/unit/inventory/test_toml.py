"""Is an inventory read whole, and is every mistake in one shown where it is?"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_v6probe.errors import InventoryError
from pytest_v6probe.inventory.model import (
    Environment,
    Host,
    Inventory,
    Login,
    Namespace,
    Role,
    Site,
)
from pytest_v6probe.inventory.toml import MAX_BYTES, load, read

FILE = Path("env.toml")
HEAD = '[environment]\nname = "prod"\ncloud = "aws"\n'
HOST = '\n[[host]]\nname = "web-1"\nssh = "web.example.com"\n'
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

WHOLE = """\
[environment]
name = "lab-aws"
cloud = "aws"
lab = "aws"
nat64_prefix = "2001:db8:64::/96"

[[host]]
name = "web-1"
region = "us-east-1"
ssh = "ec2-user@[2600:1f18:d:f70a:8204:7788:7feb:7892]:22"
via = "netns:client"
management = "netns:us-east-1/web-1"
resource_name = "i-097019ae9f2908087.ec2.internal"
imds_tokens = "optional"

[[host]]
name = "private-1"
region = "us-east-1"
role = "egress-only"
ssh = "ec2-user@[2600:1f18::5]"
via = "web-1"
python = "/usr/bin/python3.9"

[[host]]
name = "task-1"
region = "us-east-1"
role = "nested"
behind = "us-east-1/web-1"
management = "netns:us-east-1/task-1"

[[host]]
name = "here"
local = true
address = "2001:db8::7"

[[site]]
url = "http://WWW.google.com/"
families = ["ipv4", "ipv6"]

[[site]]
url = "https://ec2-44-210-107-93.compute-1.amazonaws.com/"
families = ["ipv4"]
region = "us-east-1"
ipv4_addresses = ["44.210.107.93"]
large_url = "https://ec2-44-210-107-93.compute-1.amazonaws.com/large"
"""


def test_a_whole_inventory_is_read():
    web, private, ec2 = (
        IPv6Address("2600:1f18:d:f70a:8204:7788:7feb:7892"),
        IPv6Address("2600:1f18::5"),
        "ec2-44-210-107-93.compute-1.amazonaws.com",
    )
    assert read(WHOLE, file=FILE) == Inventory(
        environment=Environment(
            name="lab-aws", cloud="aws", lab="aws", nat64_prefix=IPv6Network("2001:db8:64::/96")
        ),
        hosts=(
            Host(
                name="web-1", region="us-east-1", ssh=Login(host=web, user="ec2-user", port=22),
                via=Namespace(name="client"), management=Namespace(name="us-east-1/web-1"), address=web,
                resource_name="i-097019ae9f2908087.ec2.internal", imds_tokens="optional",
            ),
            Host(
                name="private-1", region="us-east-1", role=Role.EGRESS_ONLY, via="web-1", address=private,
                ssh=Login(host=private, user="ec2-user"), python="/usr/bin/python3.9",
            ),
            Host(
                name="task-1", region="us-east-1", role=Role.NESTED, behind="us-east-1/web-1",
                namespace=Namespace(name="us-east-1/task-1"),
                management=Namespace(name="us-east-1/task-1"),
            ),
            Host(name="here", local=True, address=IPv6Address("2001:db8::7")),
        ),
        sites=(
            Site(
                name="www.google.com", url="http://WWW.google.com/", families=("ipv4", "ipv6"),
                large_url="http://WWW.google.com/",
            ),
            Site(
                name=ec2, url=f"https://{ec2}/", families=("ipv4",), region="us-east-1",
                ipv4_addresses=frozenset({IPv4Address("44.210.107.93")}), large_url=f"https://{ec2}/large",
            ),
        ),
    )  # fmt: skip


def test_a_host_is_found_by_its_id_and_by_the_name_its_neighbours_use():
    inventory = read(WHOLE, file=FILE)
    web, private, task, _ = inventory.hosts
    assert inventory.named("web-1", near=private) is web
    assert inventory.named("us-east-1/web-1", near=task) is web
    with pytest.raises(KeyError):
        inventory.named("here", near=private)


def said(text, file=FILE):
    with pytest.raises(InventoryError) as caught:
        read(text, file=file)
    return str(caught.value)


def test_an_error_shows_file_line_table_key_reason_and_the_line_with_a_caret():
    message = said(HEAD + HOST + 'regoin = "us-east-1"  # home\n')
    assert message == (
        "env.toml:8: [[host]] regoin: there is no such key; did you mean 'region'?\n"
        ' 8 | regoin = "us-east-1"  # home\n'
        "   | ^^^^^^"
    )


def test_a_wrong_value_has_the_caret_under_the_value():
    message = said(HEAD + HOST + 'role  =   "instanse" # x\n')
    assert message == (
        "env.toml:8: [[host]] role: 'instanse' is none of instance, egress-only, nested, outside, node\n"
        ' 8 | role  =   "instanse" # x\n'
        "   |           ^^^^^^^^^^"
    )


def test_the_error_carries_file_line_and_key():
    with pytest.raises(InventoryError) as caught:
        read(HEAD + HOST + "local = 1\n", file=FILE)
    assert (caught.value.file, caught.value.line, caught.value.key) == (FILE, 8, "local")


CLUSTER = '[[cluster]]\nname = "prod"\nfamilies = ["ipv6"]\n'
POD = '[[pod]]\nname = "web"\ncluster = "prod"\nselector = "app=web"\n'
SERVICE = '[[service]]\nname = "web"\ncluster = "prod"\nfamilies = ["ipv6"]\n'
BALANCER = SERVICE.replace("service", "load_balancer")
SITE = '\n[[site]]\nurl = "http://a.example/"\nfamilies = ["ipv4"]\n'


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("name = ", 1, "this is not TOML: Invalid value"),
        (HEAD + "[[host]", 4, "this is not TOML: Expected ']]'"),
        ('a = """\n\n', 3, "this is not TOML"),
        (HEAD + 'name = "x"\n', 4, "this is not TOML: Cannot overwrite a value"),
        ("x = " + "[" * 3000, None, "this is not TOML: it is nested too deeply"),
        ("a = " + "9" * 5000, 1, "this is not TOML"),
        ("", None, "[environment]: the table is missing"),
        (HEAD + "[[hosts]]\n", 4, "[hosts]: there is no such table; did you mean 'host'?"),
        (
            HEAD + "[[frobnicate]]\n",
            4,
            "there is no such table (there are: environment, host, site, docker, container, image, cluster, pod, service, load_balancer)",
        ),
        ("x = 1\n" + HEAD, 1, "[x]: there is no such table"),
        ('environment = "prod"\n', 1, "[environment]: one table is wanted"),
        ("[[environment]]\n", 1, "[environment]: one table is wanted"),
        (
            HEAD + '[host]\nname = "a"\n',
            4,
            "[[host]]: a list of tables is wanted, with two brackets",
        ),
        ('[environment]\nname = "a"\n', 1, "[environment]: the key 'cloud' is missing"),
        (HEAD + HOST + "[[host]]\nlocal = true\n", 8, "[[host]]: the key 'name' is missing"),
        (HEAD + HOST + HOST, 10, "[[host]] name: there is another host 'web-1' above"),
        (HEAD + SITE + SITE, 10, "[[site]] url: there is another site 'a.example' above"),
        (HEAD + HOST + "[host.extra]\nx = 1\n", 8, "[[host]] extra: there is no such key"),
        (HEAD + HOST + "python = [1]\n", 8, "another list stands where a string is wanted"),
        (HEAD + HOST + "python = 3.9\n", 8, "a number stands where a string is wanted"),
        (HEAD + HOST + "python = 2020-01-01\n", 8, "a date or time stands where"),
        (HEAD + HOST + "python = {}\n", 8, "a table stands where"),
        (HEAD + HOST + "python = true\n", 8, "true or false stands where"),
        (HEAD + HOST + 'local = "yes"\n', 8, "a string stands where true or false is wanted"),
        (HEAD + HOST + 'python = "python3; rm"\n', 8, "is not the name or path of a program"),
        (HEAD + HOST + 'python = "-c"\n', 8, "is not the name or path of a program"),
        (HEAD + HOST + 'address = "2001:db8::x"\n', 8, "Only hex digits permitted"),
        (HEAD + HOST + 'address = "fe80::1"\n', 8, "is not the address of a host"),
        (HEAD + HOST + 'region = "a/b"\n', 8, "'a/b' is not a name"),
        (HEAD + HOST + 'management = "[::1"\n', 8, "no closing bracket"),
        (HEAD + HOST + 'management = "netns:web"\n', 8, "[environment] names no lab"),
        (HEAD + HOST + 'via = "netns:web"\n', 8, "netns:web is a namespace of a lab"),
        (HEAD + HOST + 'via = "web-2"\n', 8, "[[host]] via: there is no host 'web-2'"),
        (HEAD + HOST + 'behind = "x/web-1"\n', 8, "[[host]] behind: there is no host 'x/web-1'"),
        (HEAD + HOST + 'via = "web-1"\n', 8, "it goes round in a circle: web-1 → web-1"),
        (
            HEAD + HOST + "local = true\n",
            7,
            "local and ssh are given, where exactly one way in is wanted",
        ),
        (HEAD + '[[host]]\nname = "a"\n', 4, "[[host]]: no way in"),
        (HEAD + '[[host]]\nname = "a"\nlocal = true\nvia = "b"\n', 7, "there is no ssh"),
        (HEAD + SITE + 'region = "mars"\n' + HOST, 8, "no host is in region 'mars'"),
        (HEAD + '[[site]]\nurl = "gopher://x"\nfamilies = []\n', 5, "http or https is wanted"),
        (HEAD + '[[site]]\nurl = "http://x/"\nfamilies = []\n', 6, "one or both of ipv4, ipv6"),
        (HEAD + '[[site]]\nurl = "http://x/"\nfamilies = ["ipv4", "ipv4"]\n', 6, "each once"),
        (
            HEAD + '[[site]]\nurl = "http://x/"\nfamilies = ["ipv5"]\n',
            6,
            "'ipv5' is none of ipv4, ipv6",
        ),
        (
            HEAD + '[[site]]\nurl = "http://x/"\nfamilies = "ipv4"\n',
            6,
            "where a list of strings is wanted",
        ),
        (
            HEAD + '[[site]]\nurl = "http://[::1]/"\nfamilies = ["ipv4"]\n',
            6,
            "has one family, ipv6",
        ),
        (HEAD + SITE + 'ipv4_addresses = ["1.2.3"]\n', 8, "Expected 4 octets"),
        (
            HEAD + SITE.replace("ipv4", "ipv6") + 'ipv4_addresses = ["1.2.3.4"]\n',
            8,
            "does not list ipv4",
        ),
        (HEAD + SITE + 'ca = "gone.pem"\n', 8, "'gone.pem': No such file"),
        (HEAD + SITE + 'ca = "/dev/null"\n', 8, "no certificate (PEM) is in it"),
        (HEAD + CLUSTER + CLUSTER, 8, "[[cluster]] name: there is another cluster 'prod' above"),
        (HEAD + CLUSTER + 'via = "web-1"\n', 7, "[[cluster]] via: there is no host 'web-1'"),
        (HEAD + CLUSTER + 'via = "netns:client"\n', 7, "netns:client is a namespace of a lab"),
        (HEAD + CLUSTER + 'pod_ranges = ["2001:db8::1/64"]\n', 7, "has host bits set"),
        (HEAD + CLUSTER + 'dns_service = "coredns"\n', 7, "'' is not a name of Kubernetes"),
        (HEAD + POD, 6, "[[pod]] cluster: there is no cluster 'prod'"),
        (HEAD + CLUSTER + POD + POD, 8, "[[pod]] name: 'prod.web' is there twice"),
        (HEAD + CLUSTER + POD + 'node = "Node_1"\n', 11, "is not a name of Kubernetes"),
        (HEAD + POD.replace("app=web", "app=web;x"), 7, "is not a label selector"),
        (HEAD + CLUSTER + POD + 'envoy_admin = "::1"\n', 11, "is not an address with a port"),
        (HEAD + CLUSTER + POD + 'envoy_admin = "localhost:1"\n', 11, "such as [::1]:15000"),
        (HEAD + CLUSTER + SERVICE + "http = false\nmesh = true\n", 12, "and http is false"),
        (HEAD + SERVICE, 6, "[[service]] cluster: there is no cluster 'prod'"),
        (HEAD + CLUSTER + SERVICE * 2, 12, "there is another service 'prod/default/web' above"),
        (HEAD + CLUSTER + SERVICE + 'type = "ExternalName"\n', 11, "is none of ClusterIP"),
        (HEAD + BALANCER, 6, "[[load_balancer]] cluster: there is no cluster 'prod'"),
        (HEAD + CLUSTER + BALANCER * 2, 12, "there is another load balancer 'prod/web' above"),
        (
            HEAD + CLUSTER + BALANCER + 'client_address_page = "whoami"\n',
            11,
            "'whoami' is not the path of a page, such as /whoami",
        ),
        (HEAD + HOST + 'debug_image = "python:3"\n', 8, "ssh and debug_image are given"),
        (HEAD + HOST + 'role = "node"\n', 5, 'role = "node" and cluster go together'),
        (HEAD + 'nat64_prefix = "64:ff9b::/95"\n', 4, "/95 is no NAT64 prefix length"),
        (HEAD + 'nat64_prefix = "64:ff9b::1/96"\n', 4, "has host bits set"),
    ],
)
def test_every_mistake_is_one_message_with_its_line(text, line, why):
    message = said(text)
    place = f"env.toml:{line}:" if line else "env.toml:"
    assert message.startswith(place)
    assert why in message
    assert ("\n" in message) == (line is not None)


def test_a_circle_of_two_hosts_is_named():
    text = HEAD + HOST + 'via = "b"\n[[host]]\nname = "b"\nssh = "b.example"\nvia = "web-1"\n'
    assert "it goes round in a circle: web-1 → b → web-1" in said(text)


def test_a_reference_is_to_a_host_of_the_same_region():
    text = (
        HEAD + HOST + 'region = "r"\n[[host]]\nname = "b"\nregion = "s"\nssh = "b"\nvia = "web-1"\n'
    )
    assert "there is no host 'web-1'" in said(text)


def test_strings_comments_and_lists_over_many_lines_do_not_mislead_the_caret():
    text = (
        '# [[host]]\n[environment] # "\n"name" = "#prod#"\ncloud = \'aws\'\n'
        '[[site]]\nurl = "http://x/"\nfamilies = [ # all\n  "ipv4", # [[\n]\nca = """\nregion = 1\n"""\n'
        "regoin = 1\n"
    )
    assert said(text).startswith("env.toml:3: [environment] name: '#prod#' is not a name")
    assert said(text.replace("#prod#", "prod")).startswith("env.toml:13: [[site]] regoin:")


def test_inline_and_dotted_tables_are_found_too():
    assert said('environment.name = "a"\nenvironment.cloud = "b"\n').startswith(
        "env.toml:2: [environment] cloud"
    )
    inline = 'environment = {name = "a", cloud = "b"}\n'
    assert said(inline) == (
        "env.toml:1: [environment] cloud: 'b' is none of aws, azure, gcp\n"
        ' 1 | environment = {name = "a", cloud = "b"}\n'
        "   |               ^^^^^^^^^^^^^^^^^^^^^^^^^"
    )


def test_a_long_line_is_cut_around_the_caret_and_shows_no_control_characters():
    message = said(HEAD + HOST + f'behind = "{"x" * 500}"\n')
    assert max(map(len, message.splitlines())) < 180
    for text in ("a = \x1b[31m", '"\\u001b[31m" = 1', HEAD + HOST + '"\\u001b[31m" = 1\n'):
        assert "\x1b" not in said(text)


def test_a_certificate_authority_is_read_from_beside_the_inventory(tmp_path):
    (tmp_path / "ca.pem").write_text(PEM)
    file = tmp_path / "env.toml"
    file.write_text(HEAD + SITE + 'ca = "ca.pem"\n')
    assert load(file).sites[0].ca == PEM
    assert load(file).source == str(file)


@pytest.mark.parametrize(
    ("said", "meant"),
    [("engine", "/etc/v6/engine"), ("/srv/engine", "/srv/engine"), ("~/.docker", "~/.docker")],
)
def test_certificates_of_an_engine_are_beside_the_inventory(said: str, meant: str):
    engine = f'[[docker]]\nhost = "web-1"\nurl = "tcp://[::1]"\ncertificates = "{said}"\n'
    inventory = read(HEAD + HOST + engine, file=Path("/etc/v6/env.toml"))
    assert [docker.certificates for docker in inventory.dockers] == [meant]


@pytest.mark.parametrize(
    ("octets", "why"),
    [(b"\xff", "can't decode byte"), (b"#" * (MAX_BYTES + 1), "more than"), (None, "No such file")],
)
def test_a_file_that_cannot_be_read_is_an_inventory_error(tmp_path, octets, why):
    file = tmp_path / "env.toml"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(InventoryError, match=why) as caught:
        load(file)
    assert caught.value.file == file


def test_a_directory_is_not_an_inventory(tmp_path):
    with pytest.raises(InventoryError, match="Is a directory"):
        load(tmp_path)


def test_windows_line_ends_are_read(tmp_path):
    file = tmp_path / "env.toml"
    file.write_bytes((HEAD + HOST + "x = 1\n").replace("\n", "\r\n").encode())
    with pytest.raises(InventoryError, match=r"env.toml:8: \[\[host\]\] x"):
        load(file)


PIECES = st.sampled_from(
    ["\n", "[environment]", "[[host]]", "[[site]]", "name", " = ", '"web"', "ssh", "url", '"""', "'", "#", "[", "]",
     "true", "1", ".", "{", "}", "families", '["ipv4"]', '"http://x/"', "cloud", '"aws"', "x", "\\"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join)))
@pytest.mark.parametrize("head", ["", HEAD, HEAD + HOST])
def test_any_text_is_an_inventory_or_an_inventory_error(head, text):
    try:
        source = read(head + text, file=FILE).source
    except InventoryError as error:
        source = str(error)
    assert source.startswith("env.toml")
