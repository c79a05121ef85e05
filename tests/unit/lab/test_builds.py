"""Does each thing that is built have a module of its own that pins what is said of it?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_v6probe.lab import install
from pytest_v6probe.lab.builds import BUILDS, METALLB, Build

OWN = [pytest.param(build, id=build.name) for build in BUILDS.values() if not build.module]


def go_mod(build: Build) -> str:
    return Path(install.MODULES, build.name, "go.mod").read_text(encoding="utf-8")


@pytest.mark.parametrize("build", OWN)
def test_its_go_mod_asks_for_the_compiler_and_the_release_that_are_said(build: Build):
    text = go_mod(build)
    first = build.packages[0].partition("/cmd/")[0].partition("/controller")[0]
    module = re.escape(build.source or first)
    assert re.findall(r"^go (\S+)$", text, re.MULTILINE) == [".".join(map(str, build.least_go))]
    assert re.findall(rf"^(?:\t|require ){module} (\S+)", text, re.MULTILINE) == [build.version]
    assert build.title.endswith(f" {build.version.removeprefix('v')}")


@pytest.mark.parametrize("build", OWN)
def test_each_program_is_a_tool_of_its_module(build: Build):
    tools = go_mod(build).partition("\ntool ")[2]
    assert sorted(re.findall(r"[\w.-]+/[\w./-]+", tools)) == sorted(build.packages)


@pytest.mark.parametrize("build", OWN)
def test_every_module_that_it_needs_has_a_checksum(build: Build):
    required, _, replaced = go_mod(build).partition("\nreplace ")
    other = dict(re.findall(r"=> (\S+) (v\S+)", replaced))
    wanted = dict(re.findall(r"^(?:\t|require )(\S+) (v\S+)", required, re.MULTILINE))
    wanted |= {module: other[module] for module in wanted if module in other}
    sums = Path(install.MODULES, build.name, "go.sum").read_text(encoding="utf-8")
    there = set(re.findall(r"^(\S+) (v[^\s/]+)(?:/go\.mod)? h1:", sums, re.MULTILINE))
    assert wanted.keys() >= {"k8s.io/api", "golang.org/x/net"}
    assert wanted.items() - there == set()


def test_programs_are_called_as_go_calls_them():
    assert METALLB.programs == ("controller", "speaker")
