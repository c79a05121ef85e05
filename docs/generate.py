"""Which pages of the documentation are made from the code? `python docs/generate.py` writes them,
`--check` compares.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest_v6probe
from pytest_v6probe.clouds.container_registries import REGISTRIES
from pytest_v6probe.inventory import schema
from pytest_v6probe.kube import rbac
from pytest_v6probe.lab.faults import FAULTS
from pytest_v6probe.result import Finding
from pytest_v6probe.vantage import Probe

ACCOUNT = {"kind": "ServiceAccount", "name": rbac.NAME, "namespace": rbac.NAME}
DOCS = Path(__file__).parent
NOTE = "<!-- written by docs/generate.py -->\n"


def inventory() -> str:
    """The inventory's keys, from the schema that reads them."""
    return (
        "# The inventory\n\nA TOML file that says which hosts and sites there are. It holds no secrets. "
        "`v6probe check FILE` reads it as a run would.\n\n" + schema.reference()
    )


def faults() -> str:
    """Every fault with the tests it turns red, from the data that the fault matrix is tested
    against.
    """
    lines = [
        "# Faults of the lab",
        "",
        "`v6probe lab break NAME` breaks one thing, `v6probe lab mend NAME` mends it; "
        "`pytest … --v6-fault NAME` runs on a lab that has it.",
        "Each turns exactly these tests red, with this verdict, and the diagnosis names this layer; "
        "`tests/lab/test_fault_matrix.py` holds it.",
        "",
    ]
    for name, fault in sorted(FAULTS.items()):
        lines += [
            f"## {name}",
            "",
            f"{fault.summary[0].upper()}{fault.summary[1:]}.",
            "",
            "| test | at | verdict | layer |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| `{red.test}` | {', '.join(red.at)} | {red.verdict} | {red.layer or 'unobserved'} |"
            for red in fault.red
        ]
        lines.append("")
    return "\n".join(lines)


def registries() -> str:
    """What is known of registries, with date and source."""
    lines = [
        "# Registries and IPv6",
        "",
        "What is known of each, dated and sourced; nothing of it was resolved live. `pull_chain` tells what is so today, and its diagnosis "
        "quotes this table.",
        "",
        "| registry | IPv6 | what is known | instead | seen | source | checked |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {known.id} | {known.ipv6} | {known.note.replace('<', '&lt;')} | {f'`{known.instead}`' if known.instead else ''} | {known.seen} | {known.source}"
        f"{'' if known.sure else ' (reported by users)'} | {known.checked} |"
        for known in REGISTRIES
    ]
    return "\n".join([*lines, ""])


def rights() -> str:
    """What an account must be allowed in a cluster, from the rules that the lab's own runs have."""
    lines = ["# Rights in a cluster", ""]
    for name, about, rules in (
        (rbac.NAME, "Every run needs the first of these.", (*rbac.LOOK, *rbac.DEBUG)),
        (
            f"{rbac.NAME}-create",
            "Tests that create something (the mark `creates`, with `--v6-disruptive`) and `v6probe clean` "
            "need this as well.",
            rbac.CREATE,
        ),
    ):
        rows = [
            f"| {', '.join(rule.resources)} | {', '.join(rule.verbs)} | {rule.why} |"
            for rule in rules
        ]
        role = rbac.cluster_role(name, rules)
        binding = rbac.cluster_role_binding(name, ACCOUNT)
        lines += [
            f"## {name}",
            "",
            about,
            "",
            "| resource | verbs | why |",
            "|---|---|---|",
            *rows,
            "",
        ]
        lines += [
            "```json",
            json.dumps({"apiVersion": "v1", "kind": "List", "items": [role, binding]}, indent=1),
        ]
        lines += ["```", ""]
    return "\n".join(
        [
            *lines,
            "`kubectl create namespace v6probe`, `kubectl -n v6probe create serviceaccount v6probe`, "
            "then `kubectl apply -f` with the above.",
            "",
        ]
    )


def probes() -> str:
    """Every public probe with its signature and what it finds, from the docstrings."""
    lines = [
        "# Probes",
        "",
        "`probe(vantage, …)` asks now and returns a finding; `probe.ask(…)` is one entry of "
        "`sweep(vantage, [...])`; what takes a cluster asks its API. Every finding also has `vantage`, `asked`, `verdict`, `local`, `remote`, "
        "`path`, `elapsed_s` and `evidence`.",
        "",
    ]
    common = {field.name for field in fields(Finding)}
    for name, said, finding in _probes():
        lines += [
            f"## {name}",
            "",
            "```python",
            said,
            "```",
            "",
            inspect.cleandoc(getattr(pytest_v6probe, name).__doc__ or ""),
            "",
            f"**{finding.__name__}**: {inspect.cleandoc(finding.__doc__ or '')}",
            "",
        ]
        own = [field.name for field in fields(finding) if field.name not in common]
        lines += [f"Fields: {', '.join(f'`{field}`' for field in own)}.", ""] if own else []
    return "\n".join(lines)


def _probes() -> Iterator[tuple[str, str, type[Finding]]]:
    for name in pytest_v6probe.__all__:
        value = getattr(pytest_v6probe, name)
        function = value.ask if isinstance(value, Probe) else value
        if inspect.isfunction(function) and (finding := _finding(function)) is not None:
            yield name, _call(name, inspect.signature(function)), finding


def _finding(function: Callable[..., object]) -> type[Finding] | None:
    returned = str(function.__annotations__.get("return", ""))
    value = getattr(
        sys.modules[function.__module__], returned.removeprefix("Ask[").removesuffix("]"), None
    )
    return value if inspect.isclass(value) and issubclass(value, Finding) else None


_FIRST = {"at": "vantage", "cluster": "cluster", "namespace": "namespace"}
"""What is asked, by the name of a function's first parameter."""


def _call(name: str, signature: inspect.Signature) -> str:
    said = [str(p) for p in signature.parameters.values() if p.name not in _FIRST]
    first = next((key for key in signature.parameters if key in _FIRST), "at")
    return f"{name}({_FIRST[first]}{''.join(', ' + text for text in said)})"


PAGES: dict[str, Callable[[], str]] = {
    "inventory.md": inventory,
    "faults.md": faults,
    "probes.md": probes,
    "registries.md": registries,
    "kubernetes-rbac.md": rights,
}


def main(argv: list[str]) -> int:
    """Write the pages, or say which are out of date."""
    stale = [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != NOTE + page()
    ]
    if "--check" not in argv:
        for name in stale:
            (DOCS / name).write_text(NOTE + PAGES[name](), encoding="utf-8")
    print("\n".join(stale) or "up to date")
    return bool(stale) and "--check" in argv


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
