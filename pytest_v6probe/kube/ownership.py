"""What in a cluster is v6probe's own? A label, and the names of the namespaces that it makes."""

from __future__ import annotations

import re
from uuid import uuid4

OWNER = ("app.kubernetes.io/managed-by", "pytest-v6probe")
"""The label of all that is made, and its value."""
NAME = re.compile(r"v6probe-[0-9a-f]{12}")


def new_name() -> str:
    """The name of a namespace that nobody else has; `NAME` fits it."""
    return f"v6probe-{uuid4().hex[:12]}"
