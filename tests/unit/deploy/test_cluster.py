"""The files of deploy/ for many machines, without a cluster: what they name exists here, and they agree with one another."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import typer.main
import yaml

from rag.api.app import create_app
from rag.api.library import IndexLibrary
from rag.cli.app import app
from rag.config import Settings
from tests.unit.deploy.manifests import (
    COMPOSE,
    DEPLOY,
    KUBERNETES,
    TOP,
    Container,
    every_container,
    every_object,
    in_compose,
    in_kubernetes,
    pods,
    printed_in,
)
from tests.unit.serving_plans import dry

PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
SECRET = re.compile(r"KEY|TOKEN|PASSWORD|SECRET")
CONTAINERS = every_container()
NAMED = [pytest.param(one, id=one.where) for one in CONTAINERS]
RAG = [pytest.param(one, id=one.where) for one in CONTAINERS if one.is_ours and one.arguments and not one.is_replaced]


def test_the_parts_are_there() -> None:
    kinds = {(one["kind"], one["metadata"]["name"]) for _, one in every_object()}
    assert {("Deployment", "embedder"), ("Deployment", "reranker"), ("Deployment", "page"), ("RayCluster", "readers")} <= kinds
    assert len(RAG) == 6  # two pages and a run in each sort of file


@pytest.mark.parametrize("container", RAG)
def test_every_command_line_is_understood(container: Container) -> None:
    name, *words = container.arguments
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    assert command.make_context(name, list(words)).params["index"]


@pytest.mark.parametrize("container", NAMED)
def test_every_setting_exists_and_every_secret_is_a_reference(container: Container) -> None:
    for name, value in container.environment.items():
        assert not name.startswith("RAG_") or name[4:].lower() in Settings.model_fields, name
        if SECRET.search(name) and not isinstance(value, dict):
            assert name == "RAG_KEYS" or re.fullmatch(r"\$\{\w+:\?.+\}", str(value)), f"{name} is written out"
        if isinstance(value, dict):
            assert set(value) == {"secretKeyRef"}


@pytest.mark.parametrize("container", NAMED)
def test_every_image_has_a_version_that_the_project_names(container: Container) -> None:
    name, _, tag = container.image.rpartition(":")
    assert name and re.search(r"\d", tag) and "latest" not in tag
    nvidia = yaml.safe_load((DEPLOY / "nvidia.compose.yml").read_text("utf-8"))["services"]["embedder"]["image"]
    ascend = yaml.safe_load((DEPLOY / "ascend.compose.yml").read_text("utf-8"))["services"]["embedder"]["image"]
    if container.is_ours:
        assert tag == PROJECT["version"]
    elif "vllm" in name:
        assert container.image in (nvidia, ascend)


def test_versions_agree() -> None:
    values = yaml.safe_load((DEPLOY / "kubernetes/milvus-values.yaml").read_text("utf-8"))
    images = {one.image.rpartition(":")[0]: one.image.rpartition(":")[2] for one in in_compose()}
    assert images["milvusdb/milvus"] == values["image"]["all"]["tag"]
    [ray] = [one["spec"]["rayVersion"] for _, one in every_object() if one["kind"] == "RayCluster"]
    [lowest] = [re.findall(r">=([\d.]+)", one)[0] for one in PROJECT["optional-dependencies"]["ray"]]
    assert [int(part) for part in ray.split(".")] >= [int(part) for part in lowest.split(".")]
    built = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["page-1"]["build"]["args"]["EXTRAS"].split(",")
    assert set(built) <= set(PROJECT["optional-dependencies"])


def test_every_probe_asks_a_route_that_is_there(tmp_path: Path) -> None:
    routes = set(create_app(IndexLibrary([str(tmp_path)], Settings())).openapi()["paths"])
    asked = []
    for one in in_kubernetes():
        ports = {port["name"]: port["containerPort"] for port in one.raw.get("ports", ())}
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = one.raw.get(name, {}).get("httpGet")
            if probe:
                assert probe["port"] in ports
                assert probe["path"] in (routes if one.is_ours else {"/health"}), one.where
                asked.append((one.is_ours, name, probe["path"]))
        words = [*one.arguments]
        if "--port" in words:
            assert int(words[words.index("--port") + 1]) == ports["http"]
    assert asked.count((True, "readinessProbe", "/readyz")) == 2
    assert (True, "livenessProbe", "/readyz") not in asked  # a restart does not bring an index back
    for one in in_compose():
        for url in re.findall(r"urlopen\('([^']+)'\)", str(one.raw.get("healthcheck", ""))):
            assert urlsplit(url).path in (routes if one.is_ours else {"/health"})
            assert str(urlsplit(url).port) in one.arguments


def test_addresses_lead_to_services_and_their_ports() -> None:
    services = {one["metadata"]["name"]: one["spec"]["ports"][0] for _, one in every_object() if one["kind"] == "Service"}
    served = {name: port["port"] for name, port in services.items()} | {"milvus": 19530, "readers-head-svc": 10001}
    compose = {one.where.removeprefix("compose: "): one for one in in_compose()}
    balanced = {int(port): name for name, port in re.findall(r"upstream (\w+) .*?:(\d+)", _nginx(), re.DOTALL)}
    for one in [one for one in CONTAINERS if one.is_ours]:
        places = [
            str(value) for value in (*one.environment.values(), *one.arguments) if re.match(r"(http|milvus|ray)://", str(value))
        ]
        for place in map(urlsplit, places):
            if one.pod:
                assert served[place.hostname or ""] == place.port, (one.where, place)
            else:
                assert place.hostname in compose and (place.hostname != "balancer" or place.port in balanced), (one.where, place)
    for name, kind in ((one["metadata"]["name"], one["kind"]) for _, one in every_object()):
        assert kind != "Service" or not name.startswith("rag"), "Kubernetes would make variables RAG_… of it"


def test_the_balancer_knows_every_server_and_passes_the_host_on() -> None:
    compose = {one.where.removeprefix("compose: "): one for one in in_compose()}
    servers = re.findall(r"server ([\w-]+):(\d+)", _nginx())
    assert {name for name, _ in servers} == {name for name in compose if re.fullmatch(r"(page|embedder|reranker)-\d", name)}
    for name, port in servers:
        words = compose[name].arguments
        assert words[words.index("--port") + 1] == port
    assert "proxy_set_header Host $http_host;" in _nginx() and "ip_hash;" in _nginx()


@pytest.mark.skipif(shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") is None, reason="nginx is not installed")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    text = re.sub(r"server [\w-]+:(\d+)", r"server 127.0.0.1:\1", _nginx()).replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(text)
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or ""
    done = subprocess.run([nginx, "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", [*sorted(DEPLOY.glob("kubernetes/models-*.yaml")), COMPOSE], ids=lambda file: file.name)
def test_the_model_servers_run_what_rag_serve_prints(file: Path) -> None:
    printed = [shlex.split(one) for line in printed_in(file) for one in dry(*shlex.split(line)[2:])]
    known = {}
    for words in printed:
        at = words.index("vllm")
        known[words[at + 2]] = (words[at:], dict(word.split("=", 1) for word in words[:at]))
    text = file.read_text("utf-8")
    found = [
        one
        for one in CONTAINERS
        if one.arguments[:2] == ("vllm", "serve") and (one.where.split(":")[0] in (file.name, "compose"))
    ]
    found = [one for one in found if (one.where.startswith("compose")) == (file == COMPOSE)]
    assert len(known) == 2 and {one.arguments[2] for one in found} == set(known), text[:200]
    for one in found:
        words, environment = known[one.arguments[2]]
        assert list(one.arguments) == words
        assert {name: one.environment[name] for name in environment} == environment


def test_our_pods_have_no_right_that_they_do_not_need() -> None:
    for one in in_kubernetes():
        given = one.raw["securityContext"]
        assert (given["allowPrivilegeEscalation"], given["capabilities"]) == (False, {"drop": ["ALL"]}), one.where
        assert one.pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert one.pod["enableServiceLinks"] is False and one.pod["automountServiceAccountToken"] is False
        assert {"cpu", "memory"} <= set(one.raw["resources"]["requests"]) and "memory" in one.raw["resources"]["limits"]
        if one.is_ours:
            assert given["readOnlyRootFilesystem"] is True and one.pod["securityContext"]["runAsNonRoot"] is True
            mounted = {mount["mountPath"] for mount in one.raw["volumeMounts"]}
            assert {"/tmp", one.environment["HOME"]} <= mounted
    for one in in_compose():
        if one.is_ours:
            assert (one.raw["read_only"], one.raw["cap_drop"]) == (True, ["ALL"])
            assert one.where == "compose: balancer" or "ports" not in one.raw


def test_claims_and_secrets_are_the_ones_that_exist_or_are_told() -> None:
    claims = {one["metadata"]["name"] for _, one in every_object() if one["kind"] == "PersistentVolumeClaim"}
    readme = (DEPLOY / "kubernetes/README.md").read_text("utf-8")
    for _, one in every_object():
        for pod in pods(one):
            used = {
                volume["persistentVolumeClaim"]["claimName"]
                for volume in pod.get("volumes", ())
                if "persistentVolumeClaim" in volume
            }
            assert used <= claims
    secrets = {
        one["secretKeyRef"]["name"]
        for container in in_kubernetes()
        for one in container.environment.values()
        if isinstance(one, dict)
    }
    for name in (*secrets, "milvus-objects"):
        assert f"create secret generic {name} " in readme
    for name, of in (("nvidia", "models-nvidia.yaml"), ("ascend", "models-ascend.yaml")):
        listed = yaml.safe_load((DEPLOY / f"kubernetes/{name}/kustomization.yaml").read_text("utf-8"))
        files = [
            (DEPLOY / "kubernetes" / name / one).resolve()
            for one in (*listed["resources"], *listed["configMapGenerator"][0]["files"])
        ]
        assert all(file.is_file() for file in files) and of in {file.name for file in files}


@pytest.mark.parametrize("file", KUBERNETES, ids=lambda file: file.name)
def test_the_published_schemas_hold(file: Path) -> None:
    """Those of Kubernetes 1.34; of the objects of other makers, the pods within."""
    for name, one in every_object():
        if name != file.name:
            continue
        if one["apiVersion"] == "ray.io/v1":
            for number, pod in enumerate(pods(one)):
                template = {
                    "apiVersion": "v1",
                    "kind": "PodTemplate",
                    "metadata": {"name": f"ray-{number}"},
                    "template": {"spec": pod},
                }
                kubernetes_validate.validate(template, "1.34", strict=True)
        else:
            kubernetes_validate.validate(one, "1.34", strict=True)


def _nginx() -> str:
    return (DEPLOY / "cluster/nginx.conf").read_text("utf-8")
