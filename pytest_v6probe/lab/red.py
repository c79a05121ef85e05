"""What must each fault turn red? The tests, with the verdict and the layer that must be named."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pytest_v6probe.result import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Red:
    """One test that a fault turns red: its name, the verdict it must give, the layer that
    `diagnose` must name, and where. A test that could not look has the reason as its verdict, and
    no layer.
    """

    test: str
    verdict: str
    layer: Layer | None
    at: tuple[str, ...]
    """Ids of the hosts it is red for."""


def red(shape: str, fault: str) -> tuple[Red, ...]:
    """What *fault* must turn red in the lab *shape*, as ``expected/SHAPE.toml`` declares it; every other
    test stays green.
    """
    return tuple(
        Red(
            test=test,
            verdict=row["verdict"],
            layer=Layer(row["layer"]) if row["layer"] else None,
            at=tuple(row["at"]),
        )
        for test, rows in _declared(shape).get(fault, {}).items()
        for row in rows
    )


@cache
def _declared(shape: str) -> dict[str, dict[str, list[dict[str, str]]]]:
    rows = files(__package__).joinpath("expected", f"{shape}.toml")
    return tomllib.loads(rows.read_text(encoding="utf-8"))
