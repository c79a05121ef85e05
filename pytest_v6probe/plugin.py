"""Where does v6probe take part in a pytest run? Hooks only; what they call is imported when a test
needs it.

Every pytest run of a user loads this module, so it imports pytest and nothing else, and each hook
first asks whether there is anything of v6probe's in the run.
"""

from __future__ import annotations

import os
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

from pytest_v6probe import fixtures
from pytest_v6probe.fixtures import ENVIRONMENTS, shape_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pytest_v6probe.environments import Environments
    from pytest_v6probe.errors import Unobserved
    from pytest_v6probe.session import Settings, V6Session

LAB_NAME = pytest.StashKey[str]()
"""The name of this run's lab: the same on the controller and on its workers."""

GROUPED = pytest.StashKey[bool]()
"""On the controller: a worker has told what it collected, and was seen to."""
LAST = pytest.StashKey[frozenset[pytest.Item]]()
"""The last test of each lab that this process has."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Every option is an ini key as well: ``--v6-env`` and ``v6_env``."""
    pluginmanager.register(fixtures, "v6probe-fixtures")
    group = parser.getgroup("v6probe", "IPv6 in the cloud (v6probe)")
    group.addoption(
        "--v6-env", metavar="FILE", help="inventory (TOML) of the environment; without it, the lab"
    )
    group.addoption(
        "--v6-region",
        metavar="REGION",
        action="append",
        help="only hosts of this region; may be repeated, or a list with commas",
    )
    group.addoption(
        "--v6-disruptive", action="store_true", help="also run the tests that change their target"
    )
    group.addoption("--v6-timeout", metavar="SECONDS", help="total time to reach a vantage (10)")
    group.addoption(
        "--v6-concurrency", metavar="N", help="operations in flight at one vantage (64)"
    )
    group.addoption(
        "--v6-fault", metavar="NAME", help="run on a lab broken so; 'v6probe lab faults' lists them"
    )
    parser.addini("v6_env", "as --v6-env, relative to the ini file", default="")
    parser.addini("v6_region", "as --v6-region", default="")
    parser.addini("v6_disruptive", "as --v6-disruptive", type="bool", default=False)
    parser.addini("v6_timeout", "as --v6-timeout", default="")
    parser.addini("v6_concurrency", "as --v6-concurrency", default="")
    parser.addini("v6_fault", "as --v6-fault", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; read an inventory that was named, so that an unusable one ends the run
    here.
    """
    for marker in (
        "v6_vantage(pattern, …): limit the test to these vantages; a collected test carries the one it runs at",
        "disruptive: the test changes its target; refused without --v6-disruptive",
        "creates: the test creates things of its own; refused without --v6-disruptive, but on a lab of this run",
        "v6_lab(shape): the lab that the module runs on where no inventory is given (aws)",
        "known_gap(id): the cloud cannot do this yet; the test fails on the day it can",
    ):
        config.addinivalue_line("markers", marker)
    if _named(config):
        _opened(config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name the environment, its regions and its vantages, where one was chosen from the start."""
    return _header(_opened(config)) if _named(config) else []


def pytest_report_collectionfinish(
    config: pytest.Config, items: Sequence[pytest.Item]
) -> list[str]:
    """The same for the lab, which is only chosen by the tests that were collected."""
    if _named(config):
        return []
    shapes = dict.fromkeys(shape_of(item) for item in items if _is_ours(item))
    return [line for shape in shapes for line in _header(_opened(config, shape))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each matching entry of the inventory."""
    if "v6_session" in metafunc.fixturenames:
        fixtures.parametrise(metafunc, _opened(metafunc.config, shape_of(metafunc.definition)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse the tests that change their target, or create something at it, unless that was asked
    for.
    """
    ours = [item for item in items if _is_ours(item)]
    changing = [item for item in ours if item.get_closest_marker("disruptive")]
    if changing and not _settings(config).disruptive:
        _refuse(changing, "changes its target")
    creating = [item for item in ours if item.get_closest_marker("creates")]
    if creating and not _settings(config).creates:
        _refuse(creating, "creates something at its target")


def pytest_collection_finish(session: pytest.Session) -> None:
    """End the run at once if its tests need a lab and none can be had here. (With -n, the
    controller sees to it.)
    """
    config = session.config
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        asking = [
            item
            for item in session.items
            if _vantage_of(item) and not item.get_closest_marker("skip")
        ]
        for shape in dict.fromkeys(map(shape_of, asking)):
            _require_lab(_opened(config, shape))
        if asking and not _settings(config).environment:
            of_labs = {shape_of(item): item for item in session.items if _is_ours(item)}
            config.stash[LAST] = frozenset(of_labs.values())


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker on this machine whose run it is part of: all of them share one lab."""
    if node.gateway.spec.popen:
        node.config.stash.setdefault(LAB_NAME, f"v6probe-{node.workerinput['testrunuid']}")
        node.workerinput["v6_lab_name"] = node.config.stash[LAB_NAME]
        node.workerinput["v6_guardian_pid"] = os.getpid()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    """On the controller: the same check of the lab, and the tests of a vantage stay together unless
    --dist says how.
    """
    config = node.config
    if GROUPED in config.stash:
        return
    config.stash[GROUPED] = True
    if _named(config) or any("/" in node_id.partition("[")[2] for node_id in ids):
        _group(config, ids)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test answers for its own findings only."""
    if _is_ours(item):
        _session_of(item).begin(disruptive=item.get_closest_marker("disruptive") is not None)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A lab of this process goes when its last test is over: a machine has room for a few only."""
    if item in item.config.stash.get(LAST, ()):
        _session_of(item).close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what a test could not look at, whether a known gap has closed, and what a failure comes
    from.
    """
    report = yield
    why = call.excinfo.value if call.excinfo else None
    if why is not None and _is_unobserved(why):
        _judge_unobserved(item, report, why)
    elif call.when == "call" and _is_ours(item):
        _judge(item, report, why)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """The outcome of its own."""
    if getattr(report, "v6_unobserved", None):
        return "unobserved", "U", ("UNOBSERVED", {"yellow": True, "bold": True})
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What could not be observed, and why, in a section of its own."""
    blind = terminalreporter.stats.get("unobserved", [])
    if blind:
        from pytest_v6probe.report import outcome  # noqa: PLC0415  # only a run that has some

        terminalreporter.section("UNOBSERVED", yellow=True, bold=True)
        for line in outcome.summary_lines(
            (report.nodeid, report.v6_unobserved[1]) for report in blind
        ):
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close every vantage; take down the lab of this run."""
    if ENVIRONMENTS in config.stash:
        config.stash[ENVIRONMENTS].close()


def _refuse(items: Sequence[pytest.Item], why: str) -> None:
    for item in items:
        item.add_marker(pytest.mark.skip(reason=f"{why}: refused without --v6-disruptive"))


def _is_ours(item: pytest.Item) -> bool:
    return "v6_session" in getattr(item, "fixturenames", ())


def _is_unobserved(why: BaseException) -> TypeGuard[Unobserved]:
    from pytest_v6probe.errors import Unobserved  # noqa: PLC0415  # only a test that did not pass

    return isinstance(why, Unobserved)


def _named(config: pytest.Config) -> bool:
    """Whether the options say by themselves that this run is one of v6probe's."""
    return any(config.getoption(name) or config.getini(name) for name in ("v6_env", "v6_fault"))


def _environments(config: pytest.Config) -> Environments:
    from pytest_v6probe.environments import Environments  # noqa: PLC0415  # not in unrelated runs

    if ENVIRONMENTS not in config.stash:
        config.stash[ENVIRONMENTS] = Environments(settings=_settings(config))
    return config.stash[ENVIRONMENTS]


def _opened(config: pytest.Config, shape: str = "") -> V6Session:
    """The session of this process on the lab *shape*, or what the options name, opened when it is
    first needed. Raises UsageError for an unusable inventory.
    """
    from pytest_v6probe.errors import InventoryError, LabError  # noqa: PLC0415  # not in unrelated runs

    environments = _environments(config)
    try:
        return environments.session(shape) if shape else environments.first()
    except (InventoryError, LabError) as why:
        raise pytest.UsageError(str(why)) from None


def _session_of(item: pytest.Item) -> V6Session:
    return _opened(item.config, shape_of(item))


def _settings(config: pytest.Config) -> Settings:
    from pytest_v6probe.session import Settings  # noqa: PLC0415  # as the line above

    told = getattr(config, "workerinput", {})
    regions = ",".join(config.getoption("v6_region") or [config.getini("v6_region")])
    return Settings(
        lab_name=told.get("v6_lab_name") or _lab_name(config),
        guardian_pid=told.get("v6_guardian_pid") or os.getpid(),
        environment=_environment(config),
        regions=tuple(filter(None, map(str.strip, regions.split(",")))),
        disruptive=config.getoption("v6_disruptive") or config.getini("v6_disruptive"),
        timeout_s=_number(config, "v6_timeout", 10.0, least=0.1),
        concurrency=int(_number(config, "v6_concurrency", 64, least=1)),
        fault=config.getoption("v6_fault") or config.getini("v6_fault"),
    )


def _lab_name(config: pytest.Config) -> str:
    """After xdist's word for the whole run, where it has one."""
    run = config.getoption("testrunuid", None) or uuid.uuid4().hex
    return config.stash.setdefault(LAB_NAME, f"v6probe-{run}")


def _environment(config: pytest.Config) -> Path | None:
    if said := config.getoption("v6_env"):
        return Path(config.invocation_params.dir, said)
    said = config.getini("v6_env")
    return (
        Path(config.inipath.parent if config.inipath else config.rootpath, said) if said else None
    )


def _number(config: pytest.Config, name: str, default: float, *, least: float) -> float:
    said = config.getoption(name) or config.getini(name) or default
    try:
        value = float(said)
    except ValueError:
        value = -1.0
    if not least <= value <= 1e6:
        raise pytest.UsageError(
            f"--{name.replace('_', '-')}: {said!r} is not a number of {least:g} or more"
        )
    return value


def _header(session: V6Session) -> list[str]:
    from pytest_v6probe.report.terminal import header  # noqa: PLC0415  # only v6probe's own runs

    return header(session.inventory, regions=session.settings.regions, fault=session.settings.fault)


def _require_lab(session: V6Session) -> None:
    """End the run with a usage error if it needs a lab that cannot be had."""
    from pytest_v6probe.errors import LabError  # noqa: PLC0415  # only a run of v6probe's
    from pytest_v6probe.session import require_lab  # noqa: PLC0415  # as the line above

    try:
        require_lab(session)
    except LabError as why:
        raise pytest.UsageError(str(why)) from None


def _group(config: pytest.Config, ids: Sequence[str]) -> None:
    """Replace the scheduler by one that gives all tests of a vantage to one worker."""
    from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]  # noqa: PLC0415  only with -n

    environments = _environments(config)
    found = {node_id: environments.at(node_id) for node_id in ids}
    vantages = {node_id: place[1] for node_id, place in found.items() if place}
    sure = (
        "" if _named(config) else "/"
    )  # unless v6probe was named, any id may be somebody else's parameter
    sessions = dict.fromkeys(
        place[0] for place in found.values() if place is not None and sure in place[1]
    )
    if not sessions:
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    for session in sessions:
        _require_lab(session)
        if reporter and not _named(config):
            for line in _header(session):
                reporter.write_line(line)

    class ByVantage(LoadGroupScheduling):  # type: ignore[misc]  # xdist is untyped
        """One vantage, one worker; any other test goes anywhere."""

        def _split_scope(self, nodeid: str) -> str:
            return vantages.get(nodeid) or str(super()._split_scope(nodeid))

    distribution: Any = config.pluginmanager.get_plugin("dsession")
    if config.getoption("dist") in {"load", "loadgroup"}:
        scheduler = ByVantage(config, distribution.log)
        for node in distribution.sched.nodes:
            scheduler.add_node(node)
        distribution.sched = scheduler


def _judge_unobserved(item: pytest.Item, report: pytest.TestReport, why: Unobserved) -> None:
    from pytest_v6probe.report import outcome  # noqa: PLC0415  # only a test that could not look

    outcome.unobserved(report, why)
    item.user_properties += outcome.add_properties(
        report, {"v6_unobserved": why.reason, "v6_vantage": why.vantage or _vantage_of(item)}
    )


def _judge(item: pytest.Item, report: pytest.TestReport, why: BaseException | None) -> None:
    """Close a known gap, or add to a failure what it comes from."""
    from pytest_v6probe.failure import explain  # noqa: PLC0415  # only a test that failed
    from pytest_v6probe.report import outcome  # noqa: PLC0415  # only tests at a vantage

    session, gap = _session_of(item), item.get_closest_marker("known_gap")
    if gap is not None and not report.skipped:
        outcome.known_gap(report, session.gap(*gap.args), why=why)
    if report.failed:
        text, properties = explain(session, _vantage_of(item), partial(_new_folder, item))
        report.sections.append(("v6probe", text))
        item.user_properties += outcome.add_properties(report, properties)


def _new_folder(item: pytest.Item) -> Path:
    """A directory for what a failing test leaves, below ``--basetemp``; pytest keeps the last three
    runs.
    """
    factory: pytest.TempPathFactory = getattr(item, "funcargs", {})["tmp_path_factory"]
    return factory.mktemp(f"v6probe-{''.join(c if c.isalnum() else '_' for c in item.name)[:60]}")


def _vantage_of(item: pytest.Item) -> str:
    """The id of the host that a collected test runs at: its last own mark, behind those that its
    author wrote.
    """
    marks = (
        [mark for mark in item.own_markers if mark.name == "v6_vantage"]
        if hasattr(item, "callspec")
        else []
    )
    return str(marks[-1].args[0]) if marks else ""
