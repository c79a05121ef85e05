"""Does the CronJob of docs/kubernetes.md run a scenario, with the rights of docs/kubernetes-rbac.md alone?"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from pytest_v6probe.lab.daemons.containerd import PYTHON_IMAGE
from pytest_v6probe.wait import eventually
from tests.lab.clusters import ClusterLab, cluster_lab
from tests.lab.runs import ROOT

NAMESPACE = "--namespace=v6probe"
WITHIN_S = 120
PLACES = {"/usr", str(ROOT), sys.prefix, sys.base_prefix}
"""What an image with this package would have: directories of this machine stand for it."""
INVENTORY = """
[environment]
name = "nightly"
cloud = "aws"

[[cluster]]
name = "lab"
region = "kind"
families = ["ipv6", "ipv4"]

[[pod]]
name = "web"
cluster = "kind/lab"
selector = "app=web"

[[service]]
name = "web"
cluster = "kind/lab"
families = ["ipv6", "ipv4"]
"""


def test_the_cron_job_of_the_documentation_runs_a_scenario_with_the_documented_rights(
    tmp_path: Path,
):
    with cluster_lab("kind") as lab:
        (tmp_path / "env.toml").write_text(INVENTORY)
        lab.kubectl(
            "create", "configmap", "v6probe", NAMESPACE, f"--from-file={tmp_path / 'env.toml'}"
        )
        lab.kubectl("create", f"--filename={on_this_machine(lab, tmp_path)}")
        lab.kubectl("create", "job", "tonight", NAMESPACE, "--from=cronjob/v6probe")
        status = eventually(
            lambda: job(lab), until=lambda known: bool(ended(known)), within_s=WITHIN_S
        )
        said = lab.kubectl("logs", "job/tonight", NAMESPACE)
    assert (ended(status), said[-4000:]) == ({"succeeded": 1}, said[-4000:])
    summary = re.search(r"(\d+) passed, (\d+) skipped in ", said)
    assert summary is not None, said[-4000:]
    assert (int(summary[1]) > 5, int(summary[2]) > 5) == (True, True), summary[0]


def job(lab: ClusterLab) -> dict[str, Any]:
    found = json.loads(lab.kubectl("get", "job", "tonight", NAMESPACE, "--output=json"))
    return dict(found["status"])


def ended(status: dict[str, Any]) -> dict[str, Any]:
    return {word: status[word] for word in ("succeeded", "failed") if status.get(word)}


def on_this_machine(lab: ClusterLab, folder: Path) -> Path:
    """The file with the CronJob, whose image is the lab's, with this machine's own package in it."""
    (written,) = re.findall(
        r"```yaml\n(apiVersion: batch/v1\n.*?)```",
        (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    (folder / "cronjob.yaml").write_text(written)
    words = ("create", "--dry-run=client", "--output=json", f"--filename={folder / 'cronjob.yaml'}")
    read = json.loads(lab.kubectl(*words))
    pod = read["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    program, *rest = container["command"]
    container |= {
        "image": PYTHON_IMAGE,
        "command": [sys.executable, "-m", program, *rest],
        "workingDir": str(ROOT),
    }
    for number, path in enumerate(sorted(PLACES)):
        name = f"machine-{number}"
        container["volumeMounts"].append({"name": name, "mountPath": path, "readOnly": True})
        pod["volumes"].append({"name": name, "hostPath": {"path": path}})
    file = folder / "cronjob.json"
    file.write_text(json.dumps(read))
    return file
