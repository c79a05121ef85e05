"""What does the API say of a service with external addresses?"""

from __future__ import annotations

from typing import Any

from tests.unit.kube import objects


def given(*ingress: dict[str, Any], notes: dict[str, str] | None = None, **spec: Any) -> Any:
    """A service whose load balancer has *ingress*."""
    said = objects.service(type="LoadBalancer", **spec)
    said["metadata"]["annotations"] = notes or {}
    return objects.but(said, "status.loadBalancer", {"ingress": list(ingress)})
