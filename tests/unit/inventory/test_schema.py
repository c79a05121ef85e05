"""Do the declared tables, the model and the reference agree?"""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from pytest_v6probe.inventory.model import (
    Cluster,
    Docker,
    Environment,
    Host,
    Image,
    LoadBalancer,
    Pod,
    Service,
    Site,
)
from pytest_v6probe.inventory.schema import (
    DOCKER,
    ENVIRONMENT,
    HOST,
    IMAGE,
    SITE,
    TABLES,
    reference,
)
from pytest_v6probe.inventory.schema_kube import CLUSTER, LOAD_BALANCER, POD, SERVICE
from pytest_v6probe.inventory.toml import read

MODELS = [
    (ENVIRONMENT, Environment, set()),
    (HOST, Host, {"container", "pod"}),
    (SITE, Site, {"name"}),
    (DOCKER, Docker, set()),
    (IMAGE, Image, set()),
    (CLUSTER, Cluster, set()),
    (POD, Pod, set()),
    (SERVICE, Service, set()),
    (LOAD_BALANCER, LoadBalancer, set()),
]
KEYS = [(table, key) for table in TABLES for key in table.keys]


@pytest.mark.parametrize(("table", "model", "derived"), MODELS)
def test_every_field_of_the_model_is_a_key_and_every_key_a_field(table, model, derived):
    of_the_host = {"name", "python"} if model is Pod else set()
    assert {key.name for key in table.keys} - of_the_host == {
        field.name for field in fields(model)
    } - derived


@pytest.mark.parametrize(("table", "key"), KEYS)
def test_the_example_of_every_key_is_one(table, key):
    value = tomllib.loads(f"x = {key.example}")["x"]
    assert key.read(value) is not None


def test_the_reference_has_a_row_for_every_key():
    text = reference()
    assert all(f"| `{key.name}` |" in text for _, key in KEYS)
    assert all(f"## `{table.header}`" in text for table in TABLES)
    assert {line.count(" | ") for line in text.splitlines() if line.startswith("| ")} == {4}


def test_the_talks_inventory_in_the_design_is_read():
    text = """
[environment]
name = "prod"
cloud = "aws"

[[host]]
name = "web-1"
region = "us-east-1"
ssh = "ec2-user@[2600:1f18:d:f70a:8204:7788:7feb:7892]"
management = "ec2-user@bastion.example.com"   # a way in that survives a broken default route

[[site]]
url = "http://ec2-44-210-107-93.compute-1.amazonaws.com/"
families = ["ipv4"]
"""
    assert read(text, file=Path("x")).hosts[0].id == "us-east-1/web-1"
