"""Which tables and keys of an inventory speak of Kubernetes? A part of `schema`."""

from __future__ import annotations

from pytest_v6probe.inventory import readers
from pytest_v6probe.inventory.keys import Key, Kind, Table

SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "Headless")

CLUSTER = Table(
    name="cluster",
    repeated=True,
    doc="A Kubernetes cluster, as a kubeconfig leads to it.",
    keys=(
        Key(name="name", read=readers.plain_name, required=True, doc="Unique within its region.", example='"prod"'),
        Key(name="families", kind=Kind.STRINGS, read=readers.families, required=True, example='["ipv6", "ipv4"]',
            doc="The families of its pods and services, the primary one first."),
        Key(name="region", read=readers.plain_name, default="none", doc="Stands in test ids: `region/name`.",
            example='"us-east-1"'),
        Key(name="kubeconfig", read=str, default="`KUBECONFIG`, else `~/.kube/config`", example='"prod-kubeconfig"',
            doc="The file, relative to the inventory."),
        Key(name="context", read=str, default="the file's current one", example='"prod"', doc="A context of that file."),
        Key(name="via", read=readers.via, default="directly", example='"us-east-1/bastion"',
            doc="Through what its API server is reached: a host with `ssh`, or a namespace of the lab."),
        Key(name="service_ranges", kind=Kind.STRINGS, read=readers.networks, default="not asked",
            example='["fd7a:c1cb:c06a::/108"]', doc="What the addresses of its services are from."),
        Key(name="pod_ranges", kind=Kind.STRINGS, read=readers.networks, default="the nodes' own `podCIDRs`",
            example='["2600:1f18:d:f70c::/64"]', doc="What the addresses of its pods are from."),
        Key(name="node_ranges", kind=Kind.STRINGS, read=readers.networks, default="not asked",
            example='["2600:1f18:d:f70a::/64"]', doc="What the internal addresses of its nodes are from."),
        Key(name="dns_service", read=readers.namespaced_name, default="kube-system/kube-dns",
            example='"kube-system/rke2-coredns"', doc="Its DNS, as `namespace/name`."),
        Key(name="probe_image", read=readers.image_reference, default="none", example='"python:3-alpine"',
            doc="An image with python3, for tests that make pods of their own."),
    ),
)  # fmt: skip

POD = Table(
    name="pod",
    repeated=True,
    doc="A pod to ask from: the first ready one, by name, that the selector fits. Its id is its cluster's, a dot, and "
    "its name.",
    keys=(
        Key(name="name", read=readers.plain_name, required=True, doc="Stands in test ids.", example='"web"'),
        Key(name="cluster", read=readers.host_reference, required=True, doc="The id of its cluster.",
            example='"us-east-1/prod"'),
        Key(name="selector", read=readers.label_selector, required=True, doc="Labels, as kubectl takes them.",
            example='"app=web"'),
        Key(name="namespace", read=readers.dns_label, default="default", doc="Its namespace.", example='"shop"'),
        Key(name="container", read=readers.dns_label, default="the pod's default one, else its first",
            doc="A container of it.",
            example='"nginx"'),
        Key(name="node", read=readers.dns_label, default="any", doc="Only a pod on this node.",
            example='"ip-10-0-1-17.ec2.internal"'),
        Key(name="debug_image", read=readers.image_reference, default="none", example='"python:3-alpine"',
            doc="An image with python3, run as an ephemeral container where the container has no python3."),
        Key(name="python", read=readers.program, default="python3", example='"/usr/bin/python3.9"',
            doc="The Python in it, 3.6 or newer."),
        Key(name="envoy_admin", read=readers.endpoint, default="none", example='"127.0.0.1:15000"',
            doc="Where the admin interface of its Envoy sidecar listens, as the pod itself reaches it."),
    ),
)  # fmt: skip

SERVICE = Table(
    name="service",
    repeated=True,
    doc="A service of a cluster. It is asked about, and never asked from.",
    keys=(
        Key(name="name", read=readers.dns_label, required=True, doc="Its name.", example='"web"'),
        Key(name="cluster", read=readers.host_reference, required=True, doc="The id of its cluster.",
            example='"us-east-1/prod"'),
        Key(name="families", kind=Kind.STRINGS, read=readers.families, required=True, example='["ipv6", "ipv4"]',
            doc="The families it must have, in this order."),
        Key(name="namespace", read=readers.dns_label, default="default", doc="Its namespace.", example='"shop"'),
        Key(name="type", read=readers.one_of(*SERVICE_TYPES), default="ClusterIP", example='"NodePort"',
            doc=f"What it is: {', '.join(SERVICE_TYPES)}."),
        Key(name="http", kind=Kind.BOOLEAN, read=bool, default="true", example="false",
            doc="Its first port speaks HTTP; else only a connection is made."),
        Key(name="mesh", kind=Kind.BOOLEAN, read=bool, default="false", example="true",
            doc="The pods behind it are in a mesh, each with a sidecar; its first port speaks HTTP."),
    ),
)  # fmt: skip

LOAD_BALANCER = Table(
    name="load_balancer",
    repeated=True,
    doc="The external addresses of a service of type `LoadBalancer`: of MetalLB, or of a cloud. It is asked about, and "
    "never asked from.",
    keys=(
        Key(name="name", read=readers.plain_name, required=True, doc="Stands in test ids: `cluster/name`.",
            example='"shop"'),
        Key(name="cluster", read=readers.host_reference, required=True, doc="The id of its cluster.",
            example='"us-east-1/prod"'),
        Key(name="families", kind=Kind.STRINGS, read=readers.families, required=True, example='["ipv6", "ipv4"]',
            doc="The families it must have an external address of."),
        Key(name="namespace", read=readers.dns_label, default="default", doc="The service's namespace.",
            example='"shop"'),
        Key(name="service", read=readers.dns_label, default="`name`", doc="The service's name.", example='"web"'),
        Key(name="pool", kind=Kind.STRINGS, read=readers.networks, default="not asked",
            example='["2001:db8:1::/120", "192.0.2.0/27"]', doc="What its addresses are from."),
        Key(name="client_address_page", read=readers.page, default="not asked", example='"/cgi-bin/address"',
            doc="A page that says from which address it was asked. Its servers must then see the client's own address, "
            "as with `externalTrafficPolicy: Local`."),
        Key(name="http", kind=Kind.BOOLEAN, read=bool, default="true", example="false",
            doc="Its first port speaks HTTP; else only a connection is made."),
    ),
)  # fmt: skip

TABLES = (CLUSTER, POD, SERVICE, LOAD_BALANCER)
