"""What is known of each cloud: the data, and the one way to it."""

from pytest_v6probe.clouds.model import Cloud, Cure, KnownGap, Metadata
from pytest_v6probe.clouds.registry import cloud, known_gaps

__all__ = ["Cloud", "Cure", "KnownGap", "Metadata", "cloud", "known_gaps"]
