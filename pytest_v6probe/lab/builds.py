"""What can be built here that no package has: from which pinned Go module, and how?

What each go.sum says was checked against the checksum database when it was made, but for that of
kube-router: the database that could be asked did not know that release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Programs of one release. Their Go module is `modules/NAME` (go.mod and go.sum of our own, with
    a `tool` line for each program), unless *module* names one that has all of it itself.
    """

    name: str
    title: str
    """As people know it, with its version."""
    version: str
    packages: tuple[str, ...]
    least_go: tuple[int, ...]
    """What its go.mod asks of the compiler."""
    ldflags: str = "-s -w"
    tags: str = ""
    module: str = ""
    checksum: str = ""
    """What the checksum database says of *module* (https://go.dev/ref/mod#checksum-database). The
    module's own go.sum, which it covers, says it of everything it needs.
    """
    source: str = ""
    """The module that has *files*."""
    files: tuple[str, ...] = ()
    """What its programs read, by the paths there: kept beside them in ``share``."""
    least_on_path: tuple[int, ...] = ()
    """The oldest release that serves where its programs are on PATH; empty: it is not looked for
    there.
    """

    @property
    def programs(self) -> tuple[str, ...]:
        """The names that Go gives the programs: the last of their packages' paths."""
        return tuple(package.rpartition("/")[2] for package in self.packages)


MOBY, MOBY_VERSION = "github.com/moby/moby/v2", "v2.0.0-beta.24"
ENGINE = f"29.8+moby.{MOBY_VERSION.removeprefix('v')}"
"""What the engine says its version is. The module has numbers of its own; this one is of
2026-09-15, between the releases 29.8.0 (2026-09-03) and 29.8.2 (2026-10-01).
"""
DOCKER = Build(
    name="docker",
    title=f"Docker Engine {ENGINE}",
    version=MOBY_VERSION,
    packages=("./cmd/dockerd", "./cmd/docker-proxy"),
    least_go=(1, 26, 3),
    ldflags=(
        f"-X {MOBY}/dockerversion.Version={ENGINE} "
        f"-X {MOBY}/dockerversion.GitCommit={MOBY_VERSION} -s -w"
    ),
    tags="netgo osusergo static_build nri_no_wasm",  # as moby's own make.sh has them
    module=MOBY,
    checksum="h1:sWv7EckkDJhpraR9yUjkw1XeVf39+MWd58E22PYloNA=",
)
KUBERNETES = Build(
    name="kubernetes",
    title="Kubernetes 1.34.4",  # from 1.35 on kubelet refuses cgroup v1
    version="v1.34.4",
    packages=tuple(
        f"k8s.io/kubernetes/cmd/{program}"
        for program in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
            "kubectl",
        )
    ),
    least_go=(1, 24, 0),
    ldflags=(
        "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.4 "
        "-X k8s.io/component-base/version.gitMajor=1 "
        "-X k8s.io/component-base/version.gitMinor=34"
    ),
    least_on_path=(1, 31),  # kube-proxy's nftables mode without a feature gate
)
COREDNS = Build(
    name="coredns",
    title="CoreDNS 1.14.7",
    version="v1.14.7",
    packages=("github.com/coredns/coredns",),
    least_go=(1, 26, 0),
    least_on_path=(1, 11),
)
METALLB = Build(
    name="metallb",
    title="MetalLB 0.15.2",
    version="v0.15.2",
    packages=("go.universe.tf/metallb/controller", "go.universe.tf/metallb/speaker"),
    least_go=(1, 24, 0),
)
KUBE_ROUTER = Build(
    name="kube-router",
    title="kube-router 2.1.0",
    version="v2.1.0",
    packages=("github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",),
    least_go=(1, 26, 0),
)
ISTIO = Build(
    name="istio",
    title="Istio 0.0.0-20260827124520-eed52ebb66ad",  # between 1.30 and 1.31: no tag of it is a module
    version="v0.0.0-20260827124520-eed52ebb66ad",
    packages=("istio.io/istio/pilot/cmd/pilot-agent", "istio.io/istio/pilot/cmd/pilot-discovery"),
    least_go=(1, 26, 0),
    source="istio.io/istio",
    files=("tools/packaging/common/envoy_bootstrap.json",),
)
BUILDS: Mapping[str, Build] = MappingProxyType(
    {build.name: build for build in (DOCKER, KUBERNETES, COREDNS, METALLB, KUBE_ROUTER, ISTIO)}
)
