"""Which tables and keys does an inventory have? One declaration: the reader obeys it, the
documentation prints it.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from pytest_v6probe.clouds.registry import CLOUDS
from pytest_v6probe.inventory import literals, readers, schema_kube
from pytest_v6probe.inventory.keys import Key, Kind, Table
from pytest_v6probe.inventory.model import Role

OF_OTHER_TABLES = (Role.CONTAINER, Role.POD)
ROLES = tuple(role for role in Role if role not in OF_OTHER_TABLES)
IMDS_TOKENS = ("optional", "required")


ENVIRONMENT = Table(
    name="environment",
    repeated=False,
    doc="Which cloud this is.",
    keys=(
        Key(name="name", read=readers.plain_name, required=True, doc="Stands in reports.", example='"prod"'),
        Key(
            name="cloud", read=readers.one_of(*CLOUDS), required=True, example='"aws"',
            doc=f"Whose local services, prefixes and known gaps apply: {', '.join(CLOUDS)}.",
        ),
        Key(
            name="lab", read=readers.plain_name, default="no lab", example='"aws"',
            doc="The lab that this environment is; `netns:` is understood only with it. Written by `v6probe lab up`.",
        ),
        Key(
            name="nat64_prefix", read=readers.nat64_prefix, default="the cloud's own", example='"64:ff9b::/96"',
            doc="The prefix that DNS64 and NAT64 must use here.",
        ),
        Key(
            name="ra_interval_s", kind=Kind.SECONDS, read=readers.seconds, default="60", example="600",
            doc="The longest time between two router advertisements (RFC 4861, MaxRtrAdvInterval): how long a "
            "scenario waits for one.",
        ),
    ),
)  # fmt: skip

HOST = Table(
    name="host",
    repeated=True,
    doc="A place to ask from. `local`, `ssh` or `namespace` says how it is reached: exactly one of them, "
    "or none where `management` or, for a node, `debug_image` is the only way in.",
    keys=(
        Key(name="name", read=readers.plain_name, required=True, doc="Unique within its region.", example='"web-1"'),
        Key(name="region", read=readers.plain_name, default="none", doc="Stands in test ids: `region/name`.",
            example='"us-east-1"'),
        Key(
            name="role", read=lambda text: Role(readers.one_of(*ROLES)(text)), default="instance", example='"instance"',
            doc="What scenarios use it for: `instance` (IPv6-only subnet, reachable from outside), `egress-only` "
            "(behind an egress-only gateway), `nested` (a container behind an instance), `outside` (dual stack, "
            "elsewhere), `node` (of a Kubernetes cluster).",
        ),
        Key(name="local", kind=Kind.BOOLEAN, read=bool, default="false", example="true",
            doc="This very machine."),
        Key(
            name="ssh", read=literals.login, default="not by SSH",
            example='"ec2-user@[2600:1f18:d:f70a:8204:7788:7feb:7892]"',
            doc="An SSH destination: `user@[literal]:port`, `user@literal`, or a name. What is not said comes from "
            "`~/.ssh/config`.",
        ),
        Key(name="namespace", read=literals.namespace, default="not a namespace", example='"netns:client"',
            doc="A network namespace of the lab."),
        Key(name="via", read=readers.via, default="directly", example='"web-1"',
            doc="Through what `ssh` is reached: another host, or a namespace of the lab."),
        Key(
            name="management", read=readers.management, default="none", example='"ec2-user@bastion.example.com"',
            doc="A way in that does not depend on the host's default route. Used where `ssh` fails; needed for "
            "disruptive scenarios.",
        ),
        Key(
            name="address", read=readers.host_address, default="the literal in `ssh`",
            example='"2600:1f18:d:f70a:8204:7788:7feb:7892"', doc="The global IPv6 address the host must have.",
        ),
        Key(name="resource_name", read=literals.name, default="not asked",
            example='"i-097019ae9f2908087.ec2.internal"', doc="Its resource-based DNS name."),
        Key(name="imds_tokens", read=readers.one_of(*IMDS_TOKENS), default="either", example='"required"',
            doc="What its metadata service must say to a request without a token: `optional` or `required`."),
        Key(name="behind", read=readers.host_reference, default="nothing", example='"ecs-1"',
            doc="For a `nested` host: the host that forwards for it."),
        Key(name="cluster", read=readers.host_reference, default="none", example='"us-east-1/prod"',
            doc="For a `node`: the id of its cluster; `name` is then the node's name there."),
        Key(name="debug_image", read=readers.image_reference, default="none", example='"python:3-alpine"',
            doc="For a `node` without another way in: an image with python3. A pod of it runs on the node's network, in "
            "a namespace of its own, while it is asked; only with `--v6-disruptive`, or on the run's own lab."),
        Key(name="python", read=readers.program, default="python3", example='"/usr/bin/python3.9"',
            doc="The Python there, 3.6 or newer."),
        Key(name="sudo", kind=Kind.BOOLEAN, read=bool, default="false", example="true",
            doc="Start the agent, and what changes the host, by `sudo -n`: needed to capture packets and to restart an "
            "engine as an ordinary user."),
    ),
)  # fmt: skip

DOCKER = Table(
    name="docker",
    repeated=True,
    doc="The Docker Engine of a host. Without `url` it is asked through its host, as `docker -H ssh://` does.",
    keys=(
        Key(name="host", read=readers.host_reference, required=True, doc="The id of its host.", example='"us-east-1/web-1"'),
        Key(name="socket", read=readers.path, default="/var/run/docker.sock", doc="Its socket there.",
            example='"/run/user/1000/docker.sock"'),
        Key(name="url", read=readers.engine_url, default="through its host", example='"tcp://[2600:1f18:d:f70a::5]:2376"',
            doc="Where it listens, with TLS, for this machine."),
        Key(name="certificates", read=str, default="none", example='"~/.docker/prod"',
            doc="For `url`: the directory of `ca.pem`, `cert.pem` and `key.pem`; relative to the inventory's own."),
        Key(
            name="restart", kind=Kind.STRINGS, read=readers.command, default='`["systemctl", "restart", "docker"]`',
            example='["snap", "restart", "docker"]', doc="The command that restarts it, run as root on its host.",
        ),
        Key(name="daemon_json", read=readers.path, default="/etc/docker/daemon.json", doc="Its configuration file.",
            example='"/var/snap/docker/current/config/daemon.json"'),
        Key(name="image", read=readers.image_reference, default="none", example='"alpine:latest"',
            doc="An image that is there already: disruptive tests start containers of it."),
    ),
)  # fmt: skip

CONTAINER = Table(
    name="container",
    repeated=True,
    doc="A running container to ask from, and to reach. Its id is its host's, a dot, and its name.",
    keys=(
        Key(name="name", read=readers.plain_name, required=True, doc="As its engine calls it.", example='"web"'),
        Key(name="host", read=readers.host_reference, required=True, doc="The id of its engine's host.",
            example='"us-east-1/web-1"'),
        Key(name="helper_image", read=str, default="none", example='"python:3-alpine"',
            doc="An image with python3, run in the container's network namespace where the container has no python3."),
        Key(name="address", read=readers.host_address, default="not asked", example='"2600:1f18:d:f70c:dd3d:242:ac11:2"',
            doc="Its global IPv6 address."),
        Key(name="port", kind=Kind.PORT, read=readers.port, default="none", example="80",
            doc="What an HTTP server in it listens on."),
        Key(name="published_port", kind=Kind.PORT, read=readers.port, default="none", example="8080",
            doc="The port of the engine's host that leads to it."),
        Key(name="python", read=readers.program, default="python3", example='"/usr/bin/python3.9"',
            doc="The Python in it, 3.6 or newer."),
    ),
)  # fmt: skip

IMAGE = Table(
    name="image",
    repeated=True,
    doc="Something to pull from a registry.",
    keys=(
        Key(name="reference", read=readers.image_reference, required=True, doc="As `docker pull` takes it.",
            example='"docker-registry.example.com:5000/alpine:latest"'),
        Key(name="ca", read=str, default="the vantage's own authorities", example='"registry-ca.pem"',
            doc="The certificate authority of a private registry: a PEM file, relative to the inventory, or PEM text "
            "itself."),
        Key(name="push", kind=Kind.BOOLEAN, read=bool, default="false", example="true",
            doc="Its registry takes a push from the inventory's engines."),
        Key(name="mirror", read=readers.plain_authority, default="none", example='"mirror.example.com:5000"',
            doc="The host (and port) of the mirror that a plain pull of it must use."),
        Key(name="insecure", kind=Kind.BOOLEAN, read=bool, default="false", example="true",
            doc="Its registry speaks plain HTTP: it is one of the engines' `insecure-registries`."),
    ),
)  # fmt: skip

SITE = Table(
    name="site",
    repeated=True,
    doc="Something on the internet that answers HTTP. It is asked about, and never asked from.",
    keys=(
        Key(name="url", read=readers.web_url, required=True, doc="An http or https URL; its host is the site's name.",
            example='"http://ec2-44-210-107-93.compute-1.amazonaws.com/"'),
        Key(name="families", kind=Kind.STRINGS, read=readers.families, required=True, example='["ipv4"]',
            doc="Of which families its name has addresses that serve: `ipv4`, `ipv6`, or both."),
        Key(name="region", read=readers.plain_name, default="all regions", example='"us-east-1"',
            doc="Only hosts of this region ask it."),
        Key(
            name="ipv4_addresses", kind=Kind.STRINGS, default="compared with a live query",
            read=lambda words: frozenset(map(IPv4Address, words)), example='["44.210.107.93"]',
            doc="Its A records.",
        ),
        Key(name="large_url", read=readers.web_url, default="`url`", example='"http://www.example.com/large"',
            doc="A page of at least 200 kB, for path MTU."),
        Key(
            name="ca", read=str, default="the vantage's own authorities", example='"lab-ca.pem"',
            doc="The certificate authority of a private https site: a PEM file, relative to the inventory, or PEM "
            "text itself.",
        ),
    ),
)  # fmt: skip

TABLES = (ENVIRONMENT, HOST, SITE, DOCKER, CONTAINER, IMAGE, *schema_kube.TABLES)


def reference() -> str:
    """The inventory's reference as Markdown: a section for each table, a row for each key."""
    return "\n".join(line for table in TABLES for line in _section(table))


def _section(table: Table) -> list[str]:
    rows = [
        f"| `{key.name}` | {key.kind.value} | {'**required**' if key.required else key.default} "
        f"| {key.doc} | `{key.example}` |"
        for key in table.keys
    ]
    head = ["| key | is | without it | meaning | example |", "|---|---|---|---|---|"]
    return [f"## `{table.header}`", "", table.doc, "", *head, *rows, ""]
