"""The YAML for Kubernetes against its schema, and against the command that it runs."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from tests.checkout import CHECKOUT

yaml = pytest.importorskip("yaml", reason="needs PyYAML, of the group `deploy`")
FOLDER = CHECKOUT / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """All objects of the file, by kind."""
    found = list(yaml.safe_load_all((FOLDER / "vblkfuzz.yaml").read_text()))
    return {one["kind"]: one for one in found}


@pytest.fixture(scope="module")
def pod(objects: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = objects["Deployment"]["spec"]["template"]["spec"]
    return spec


def test_each_object_is_valid(objects: dict[str, Any]) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="of the group `deploy`")
    for one in objects.values():
        validate.validate(one, validate.latest_version(), strict=True)
    with pytest.raises(validate.ValidationError):
        validate.validate({**objects["Deployment"], "sepc": {}}, "1.37", strict=True)


def test_what_it_names_is_there(objects: dict[str, Any], pod: dict[str, Any]) -> None:
    (node,) = pod["containers"]
    volumes = {one["name"]: one for one in pod["volumes"]}
    claim = volumes["store"]["persistentVolumeClaim"]["claimName"]
    assert claim == objects["PersistentVolumeClaim"]["metadata"]["name"]
    assert {one["name"] for one in node["volumeMounts"]} == set(volumes)
    assert node["envFrom"][0]["configMapRef"]["name"] == objects["ConfigMap"]["metadata"]["name"]
    spec = objects["Deployment"]["spec"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


def test_the_store_is_on_a_mounted_folder(objects: dict[str, Any], pod: dict[str, Any]) -> None:
    mounts = {one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
    store = objects["ConfigMap"]["data"]["STORE"]
    args = pod["containers"][0]["args"]
    assert store in mounts
    assert f"/{args[args.index('--out') + 1].split('/')[1]}" in mounts


def test_a_node_has_time_to_leave_and_a_core_for_each_worker(pod: dict[str, Any]) -> None:
    (node,) = pod["containers"]
    assert pod["terminationGracePeriodSeconds"] > 10
    assert node["args"][node["args"].index("--workers") + 1] == node["resources"]["requests"]["cpu"]


def test_the_image_runs_vblkfuzz_as_the_user_of_the_pod(pod: dict[str, Any]) -> None:
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    words = {line.split()[0]: line.partition(" ")[2] for line in lines if re.match("[A-Z]", line)}
    user = pod["securityContext"]
    assert words["USER"] == f"{user['runAsUser']}:{user['runAsGroup']}"
    assert shlex.split(words["ENTRYPOINT"].strip("[]")) == ["vblkfuzz"]
