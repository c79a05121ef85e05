"""Which environments does one run of pytest have? The one that is given, or each lab that its tests
name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_v6probe.errors import InventoryError
from pytest_v6probe.session import V6Session, open_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.session import Settings


@dataclass(slots=True, kw_only=True, eq=False)
class Environments:
    """The sessions of one process. None is opened before it is asked for."""

    settings: Settings
    _open: dict[str, V6Session] = field(default_factory=dict)

    def session(self, shape: str) -> V6Session:
        """The session on the lab *shape*; where an inventory is given, the one on that. Raises
        InventoryError, LabError.
        """
        given = self.settings.environment is not None
        key = "" if given else shape
        if key not in self._open:
            lab_name = f"{self.settings.lab_name}-{shape}"
            settings = self.settings if given else replace(self.settings, lab_name=lab_name)
            self._open[key] = open_session(replace(settings, shape=shape))
        return self._open[key]

    def first(self) -> V6Session:
        """The session that the options name: of the inventory, or of the fault's lab. Raises
        InventoryError, LabError.
        """
        if self.settings.environment is not None or not self.settings.fault:
            return self.session(self.settings.shape)
        from pytest_v6probe.lab import faults  # noqa: PLC0415  # only a run with a fault

        return self.session(faults.named(self.settings.fault).shape)

    def at(self, test_id: str) -> tuple[V6Session, str] | None:
        """The session that *test_id* is of, and what it shares a worker for; None where it names no
        vantage. Labs have hosts of the same name: the one that knows most of *test_id* is meant.
        """
        places = [(session, session.group_in(test_id)) for session in self._all()]
        best = max(places, key=lambda place: len(place[1]), default=None)
        return best if best is not None and best[1] else None

    def close(self) -> None:
        """Close every session, and take down the labs of this run."""
        for session in self._open.values():
            session.close()

    def _all(self) -> Iterator[V6Session]:
        """Every session that there can be; not of a lab that has none of the regions asked for."""
        if self.settings.environment is not None:
            yield self.first()
            return
        from pytest_v6probe.lab import shapes  # noqa: PLC0415  # only a run on a lab

        for shape in shapes.NAMES:
            try:
                yield self.session(shape)
            except InventoryError:
                continue
