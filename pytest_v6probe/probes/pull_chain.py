"""Can an image be pulled over IPv6 alone: registry, token, manifests, every layer, every redirect?

As an engine pulls (OCI Distribution 1.1, distribution's docs/spec/auth), many requests on a few
connections, but no layer leaves the vantage: its octets are hashed there. Several batches to the
agent; one finding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.clouds import container_registries
from pytest_v6probe.inventory.model import Image
from pytest_v6probe.probes import registry_login, replies
from pytest_v6probe.probes.registry_hop import Fetch, Got, Hop
from pytest_v6probe.probes.registry_walk import Walk, fetch
from pytest_v6probe.result import Address, Endpoint, Finding, Layer, Path
from pytest_v6probe.rfc import oci_distribution, oci_reference
from pytest_v6probe.rfc.oci_distribution import Descriptor, Index, Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.linux.docker_config import Credentials
    from pytest_v6probe.rfc.oci_reference import Reference
    from pytest_v6probe.vantage import Vantage

MAX_DEPTH = 3
"""An index may name another; deeper ones are taken for a loop."""
MOST_LINES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PullChain(Finding):
    """Every server that a pull of one image needs, as they answer over IPv6.

    Verdicts: ``complete``; else that of the first broken hop: ``no-aaaa`` (only A records),
    ``no-records``, ``nxdomain``, ``resolver-timed-out`` and the like; ``black-hole`` (AAAA and A
    records, and nothing answers over IPv6), ``timed-out``, ``refused``, ``no-route`` and the
    agent's other outcomes; ``tls-name-mismatch``, ``tls-expired``, ``tls-untrusted``,
    ``tls-unanswered``, ``tls-error``; ``plain-http-redirect``, ``refused-redirect`` (to an address
    where no registry is: the host itself, its link, its metadata service, an IPv4 literal);
    ``loop`` (of redirects or indexes); ``token-refused``, ``unauthorised``, ``not-found``,
    ``rate-limited``, ``status-500`` and the like; ``no-such-platform``; ``digest-mismatch``,
    ``garbage``, ``too-large``, ``incomplete``, ``stalled``, ``unanswered``.
    """

    layer: ClassVar[Layer] = Layer.REGISTRY

    image: str
    hops: tuple[Hop, ...] = ()
    layers: tuple[Descriptor, ...] = ()
    """The layers of the platform, lowest first, whether or not they could be got."""
    total_bytes: int = 0
    """Of the configuration and the layers that were got and have the right digest."""

    @property
    def first_broken(self) -> Hop | None:
        """The first hop, in the order of a pull, that did not work."""
        return next((hop for hop in self.hops if not hop.works), None)

    @property
    def complete(self) -> bool:
        """Whether all of the image could be got."""
        return self.verdict == "complete"

    @property
    def families(self) -> Mapping[str, frozenset[str]]:
        """Each host of the chain, and the families that it has addresses of."""
        return {hop.host: hop.families for hop in self.hops}

    @property
    def addresses(self) -> frozenset[Address]:
        """Every address of every host of the chain, of both families: whom a pull may speak
        with.
        """
        native = {address for hop in self.hops for address in hop.ipv6_addresses}
        return frozenset(native.union(*(hop.ipv4_addresses for hop in self.hops)))

    @property
    def translated(self) -> tuple[str, ...]:
        """The hosts that were reached through NAT64 only: over IPv6 from here, over IPv4 there."""
        return tuple(dict.fromkeys(h.host for h in self.hops if h.path is Path.NAT64))

    @property
    def broken_layer(self) -> Layer:
        """The rung that the first broken hop speaks of."""
        return self.first_broken.layer if self.first_broken else self.layer

    @property
    def name_asked(self) -> str:
        """The name of the first broken hop's host, or of the registry."""
        named = self.first_broken or (self.hops[0] if self.hops else None)
        host = named.host if named else ""
        return "" if host.startswith("[") else host.partition(":")[0]

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """What is known of the registry, where that explains a host without IPv6."""
        broken = self.first_broken
        if broken is None or broken.verdict not in {"no-aaaa", "black-hole"}:
            return None
        known = container_registries.of(self.name_asked)
        what = "has A records only" if broken.verdict == "no-aaaa" else "does not answer over IPv6"
        cause = f"{broken.host} ({broken.role}) {what}{f': {known.note}' if known else ''}"
        if known is not None and known.instead:
            return cause, f"docker pull {known.instead}/…  # a dual-stack name of the same registry"
        return (
            cause,
            f"curl -6 -sv https://{broken.host}/  # pull through a mirror that has IPv6, or by NAT64",
        )


def pull_chain(
    at: Vantage,
    image: str | Image,
    *,
    platform: str = "linux/amd64",
    credentials: Credentials | None = None,
    ca: str = "",
    plain: bool = False,
    range_bytes: int = 0,
    step_s: float = 5.0,
    deadline_s: float = 60.0,
) -> PullChain:
    """Walk all that a pull of *image* for *platform* needs, from *at*, over IPv6 only.

    Anonymous without *credentials*; they are sent to the registry and its realm only, and are in no
    finding. *ca* (PEM; by default the image's own) is trusted instead of the vantage's authorities.
    *plain* asks the registry by http, as an engine does one of its ``insecure-registries``; of an
    image that the inventory calls insecure that is so. With
    *range_bytes* only so much of each layer is got, and its digest stays unchecked. One question
    takes at most *step_s*, everything *deadline_s*. Raises Unobserved if *at* cannot be used,
    ValueError for what is no reference or platform, and for credentials over plain http.
    """
    reference = oci_reference.parse(image.reference if isinstance(image, Image) else image)
    wanted = oci_distribution.platform(platform)
    plain = plain or (isinstance(image, Image) and image.insecure)
    if plain and credentials is not None:
        raise ValueError("credentials are not sent over plain http")
    walk = Walk(
        at=at,
        deadline=monotonic() + deadline_s,
        ca=ca or (image.ca if isinstance(image, Image) else ""),
        step_s=step_s,
    )
    base = f"{'http' if plain else 'https'}://{reference.authority}/v2/"
    finding = _walked(walk, base, reference, wanted, credentials, range_bytes=range_bytes)
    at.witness(finding)
    return finding


def _walked(
    walk: Walk,
    base: str,
    reference: Reference,
    wanted: oci_distribution.Platform,
    credentials: Credentials | None,
    *,
    range_bytes: int,
) -> PullChain:
    place, manifest, got = f"{base}{reference.repository}", None, 0
    headers = registry_login.login(walk, base, reference.repository, credentials)
    if headers is not None:
        manifest = _manifest(walk, place, reference, wanted, headers)
    if manifest is not None:
        got = _blobs(walk, place, manifest, headers or (), range_bytes=range_bytes)
    layers = tuple(
        replace(layer, media_type=walk.hidden(layer.media_type))
        for layer in (manifest.layers if manifest else ())
    )
    return judge(walk.at.name, reference, walk.told(), layers, total_bytes=got)


def judge(
    vantage: str,
    reference: Reference,
    hops: tuple[Hop, ...],
    layers: tuple[Descriptor, ...],
    *,
    total_bytes: int,
) -> PullChain:
    """Make the finding of the hops. Pure."""
    broken = next((hop for hop in hops if not hop.works), None)
    telling = broken or hops[0]
    paths = {hop.path for hop in hops}
    lines = [f"{h.role} {h.host}: {h.verdict} ({h.said})" for h in ([broken] if broken else [])]
    lines += [f"{h.role} {h.host}: {h.verdict} ({h.said})" for h in hops if h is not broken]
    return PullChain(
        vantage=vantage,
        asked=f"pull {reference}",
        verdict=broken.verdict if broken else "complete",
        image=str(reference),
        hops=hops,
        layers=layers,
        total_bytes=total_bytes,
        remote=Endpoint(telling.address) if telling.address else None,
        path=Path.NAT64 if Path.NAT64 in paths else telling.path,
        elapsed_s=sum(hop.elapsed_s for hop in hops),
        evidence=tuple(replies.shown(line) for line in lines[:MOST_LINES]),
    )


Headers = tuple[tuple[str, str], ...]


def _manifest(
    walk: Walk,
    repository: str,
    reference: Reference,
    wanted: oci_distribution.Platform,
    auth: Headers,
) -> Manifest | None:
    """The manifest of the platform, through as many indexes as there are."""
    digest, seen = reference.digest, set[str]()
    for _ in range(MAX_DEPTH):
        which = digest or reference.tag
        request = fetch("manifest", f"{repository}/manifests/{which}")
        got = walk.get(replace(request, headers=(*auth, ("Accept", oci_distribution.ACCEPT))))
        document = _document(walk, got, digest)
        if not isinstance(document, Index):
            return document
        walk.amend(got, role="index")
        chosen = document.choose(wanted)
        if chosen is None:
            walk.amend(got, verdict="no-such-platform", said=f"nothing for {wanted}")
            return None
        if chosen.digest in seen or chosen.digest == digest:
            break
        seen.add(chosen.digest)
        digest = chosen.digest
    walk.amend(got, verdict="loop")
    return None


def _document(walk: Walk, got: Got, digest: str) -> Index | Manifest | None:
    """Read one answer to a request for a manifest; None where it is none, and the hop then says
    why.
    """
    if got.verdict != "ok" or got.response is None:
        return None
    found = oci_distribution.digest_of(got.response.body)
    said = got.response.header("docker-content-digest")
    if found != (digest or said or found):
        walk.amend(got, verdict="digest-mismatch", said=f"it is {found}")
        return None
    try:
        return oci_distribution.parse(
            got.response.body, media_type=got.response.header("content-type")
        )
    except oci_distribution.TooMuch as why:
        walk.amend(got, verdict="too-large", said=str(why))
    except ValueError as why:
        walk.amend(got, verdict="garbage", said=str(why))
    return None


def _blobs(
    walk: Walk, repository: str, manifest: Manifest, auth: Headers, *, range_bytes: int
) -> int:
    """Get the configuration and every layer, all at once; how many octets came and are right."""
    blobs: dict[str, Fetch] = {}
    for role, blob in (("config", manifest.config), *(("layer", one) for one in manifest.layers)):
        request = fetch(role, f"{repository}/blobs/{blob.digest}")
        blobs.setdefault(
            blob.digest,
            replace(
                request,
                headers=auth,
                digest=blob.digest,
                size_bytes=blob.size_bytes,
                range_bytes=min(range_bytes, blob.size_bytes) if role == "layer" else 0,
            ),
        )
    got = walk.get_all(list(blobs.values()))
    return sum(
        blob.range_bytes or blob.size_bytes
        for blob, one in zip(blobs.values(), got, strict=True)
        if one.verdict == "ok"
    )
