"""What does each fault turn red, where one lab is broken and mended by several in turn?

Bringing a lab up costs more than breaking and mending it. That it was mended whole shows in the run
under the next fault, which turns exactly its own tests red; a lab of which that is not so is left.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.faults import FAULTS
from pytest_v6probe.transport.netns import Keeper
from tests.lab.matrix import GROUNDS, UP_S, Outcome, Row, afterwards, concerned, lab, run, shape_for

CLUSTERS_AT_ONCE, OTHERS_AT_ONCE = 2, 3
"""So many labs stand beside each other. Those with a cluster keep a processor busy, the others mostly
wait.
"""
WORKERS = "3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The runs under one fault, and when it was mended."""

    broken: Outcome
    mended: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was asked for, some of it still to come."""

    faults: Mapping[str, Future[Seen]]
    healthy: Mapping[str, Future[Outcome]]


def declared(fault: Fault) -> frozenset[Row]:
    """What *fault* must turn red, row by row."""
    return frozenset(
        Row(red.test, at, red.verdict, red.layer or "") for red in fault.red for at in red.at
    )


@contextmanager
def sight(faults: Iterable[str], shapes: Iterable[str] = ()) -> Iterator[Sight]:
    """What each of *faults* gives, and what a healthy lab of each of *shapes*, as it becomes known;
    what has not begun at the end never is.
    """
    found: dict[str, Future[Seen]] = {name: Future() for name in faults}
    with ThreadPoolExecutor(CLUSTERS_AT_ONCE) as few, ThreadPoolExecutor(OTHERS_AT_ONCE) as many:

        def pool_for(shape: str) -> Executor:
            return few if shape in PLANS else many

        whole = {shape: pool_for(shape).submit(healthy, shape) for shape in shapes}
        for turn in turns(found):
            pool = pool_for(FAULTS[turn[0]].shape)
            pool.submit(_take, turn, found, pool)
        try:
            yield Sight(faults=found, healthy=whole)
        finally:
            for pool in (few, many):
                pool.shutdown(wait=False, cancel_futures=True)
            for future in found.values():
                future.cancel()


def healthy(shape: str) -> Outcome:
    """Run all scenarios on a lab of *shape* of which nothing is broken, beside each other as users do."""
    with lab(shape) as (_, environment):
        return run(environment, "-n", WORKERS, shape=shape)


def turns(names: Iterable[str]) -> list[tuple[str, ...]]:
    """The faults that have a lab together, what takes longest first."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[shape_for(FAULTS[name])].append(name)
    order = list(GROUNDS)
    together = sorted(alike.values(), key=lambda some: order.index(FAULTS[some[0]].shape))
    return [turn for some in together for turn in _split(some)]


def _split(alike: list[str]) -> Iterator[tuple[str, ...]]:
    """Into as few turns as may be, each about as long as the others."""
    number = -(-len(alike) // GROUNDS[FAULTS[alike[0]].shape].faults_per_lab)
    return (tuple(alike[start::number]) for start in range(number))


def _take(turn: tuple[str, ...], found: Mapping[str, Future[Seen]], pool: Executor) -> None:
    """Look at the faults of *turn* on one lab. When that is not whole any more, the others get another."""
    left = deque(turn)
    try:
        with lab(shape_for(FAULTS[turn[0]])) as place:
            whole = True
            while left and whole:
                whole = _look(left[0], found[left[0]], place)
                left.popleft()
    except BaseException as why:
        if left:
            found[left.popleft()].set_exception(why)
        raise
    finally:
        if left:
            pool.submit(_take, tuple(left), found, pool)


def _look(name: str, future: Future[Seen], place: tuple[Keeper, Path]) -> bool:
    """Whether the lab is good for another fault after this one, which is left out if nobody waits for it
    any more.
    """
    if not future.set_running_or_notify_cancel():
        return True
    seen = outcomes(name, *place)
    future.set_result(seen)
    return seen.broken.rows == declared(FAULTS[name]) and not seen.mended.rows


def outcomes(name: str, keeper: Keeper, environment: Path) -> Seen:
    """Run the scenarios on a lab that is broken, and again what was red when it is mended."""
    fault = FAULTS[name]
    keeper.request({"do": "break", "fault": name}, timeout_s=UP_S)
    broken = run(environment, *concerned(fault), shape=fault.shape)
    keeper.request({"do": "mend", "fault": name}, timeout_s=UP_S)
    return Seen(broken=broken, mended=run(environment, tests=afterwards(broken), shape=fault.shape))
