"""The Kubernetes manifests: valid, consistent with one another, and with settings that the services accept. Needs no cluster."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from harness import BINARIES
from pipeline import MEMORY_LIMIT_MIB, REPOSITORY

MANIFESTS = REPOSITORY / "docker/kubernetes"
MIGRATIONS = REPOSITORY / "migrations"
KUBERNETES_VERSIONS = ["1.29", "1.37"]
SERVICES = ["ingestor", "persister", "scheduler"]

Document = dict[str, Any]


def documents() -> list[Document]:
    paths = [path for path in sorted(MANIFESTS.glob("*.yaml")) if path.name != "kustomization.yaml"]
    return [document for path in paths for document in yaml.safe_load_all(path.read_text())]


def of_kind(*kinds: str) -> list[Document]:
    return [document for document in documents() if document["kind"] in kinds]


def named(kind: str, name: str) -> Document:
    [found] = [document for document in of_kind(kind) if document["metadata"]["name"] == name]
    return found


def workloads() -> list[Document]:
    return of_kind("Deployment", "Job")


def pod_of(workload: Document) -> Document:
    return workload["spec"]["template"]["spec"]


def container_of(workload: Document) -> Document:
    [container] = pod_of(workload)["containers"]
    return container


def identity(document: Document) -> str:
    return f"{document['kind']}/{document['metadata']['name']}"


workload = pytest.mark.parametrize("workload", workloads(), ids=identity)


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("document", documents(), ids=identity)
def test_each_document_is_valid(document: Document, version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


def test_no_two_documents_have_one_name() -> None:
    names = [identity(document) for document in documents()]
    assert len(set(names)) == len(names)


def test_the_kustomization_lists_every_file() -> None:
    text = (MANIFESTS / "kustomization.yaml").read_text()
    listed = set(yaml.safe_load(text)["resources"])
    not_applied = {"secret.example.yaml", "persister-autoscaler.yaml", "kustomization.yaml", "secret.yaml"}
    assert listed == {path.name for path in MANIFESTS.glob("*.yaml")} - not_applied | {"../../migrations"}
    assert "persister-autoscaler.yaml" in text


def test_the_config_map_of_the_migrations_has_every_file() -> None:
    [generator] = yaml.safe_load((MIGRATIONS / "kustomization.yaml").read_text())["configMapGenerator"]
    files = [path.name for path in MIGRATIONS.iterdir() if path.suffix in (".sql", ".sh")]
    assert sorted(generator["files"]) == sorted(files)
    assert sum((MIGRATIONS / name).stat().st_size for name in files) < 900_000  # a ConfigMap holds 1 MiB


# --- references ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", of_kind("Deployment", "PodDisruptionBudget"), ids=identity)
def test_selectors_select_the_pods_of_their_deployment(document: Document) -> None:
    selector = document["spec"]["selector"]["matchLabels"]
    selected = [
        each["metadata"]["name"]
        for each in workloads()
        if selector.items() <= each["spec"]["template"]["metadata"]["labels"].items()
    ]
    assert selected == [document["metadata"]["name"]]
    if document["kind"] == "Deployment":
        for constraint in pod_of(document)["topologySpreadConstraints"]:
            assert constraint["labelSelector"]["matchLabels"] == selector
    else:
        assert document["spec"]["minAvailable"] < named("Deployment", selected[0])["spec"]["replicas"]


@workload
def test_config_maps_and_secrets_exist(workload: Document) -> None:
    config_maps = {document["metadata"]["name"] for document in of_kind("ConfigMap")} | {"migrations"}
    secrets = {document["metadata"]["name"] for document in of_kind("Secret")}
    for source in container_of(workload)["envFrom"]:
        assert source["configMapRef"]["name"] in config_maps
    for volume in pod_of(workload).get("volumes", []):
        assert volume.get("configMap", {}).get("name", "migrations") in config_maps
        assert volume.get("secret", {}).get("secretName", "database") in secrets


@workload
def test_every_mount_has_its_volume(workload: Document) -> None:
    mounted = {mount["name"] for mount in container_of(workload).get("volumeMounts", [])}
    assert mounted == {volume["name"] for volume in pod_of(workload).get("volumes", [])}


@pytest.mark.parametrize("deployment", of_kind("Deployment"), ids=identity)
def test_probes_ask_a_port_that_exists_for_a_path_that_exists(deployment: Document) -> None:
    container = container_of(deployment)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    for probe in paths:
        assert container[f"{probe}Probe"]["httpGet"]["port"] in ports
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) in ports.values()
    assert re.search(r"STATUS_ADDRESS +0\.0\.0\.0:(\d+)", help_of(container["name"]))[1] == str(ports["status"])


def test_the_autoscaler_scales_a_deployment_within_its_partitions() -> None:
    [autoscaler] = of_kind("HorizontalPodAutoscaler")
    named("Deployment", autoscaler["spec"]["scaleTargetRef"]["name"])
    assert str(autoscaler["spec"]["maxReplicas"]) == named("ConfigMap", "kafka")["data"]["TOPIC_PARTITIONS"]


# --- settings -----------------------------------------------------------------------------------------


def help_of(service: str) -> str:
    return subprocess.run([BINARIES / service, "--help"], capture_output=True, text=True, check=True).stdout


def settings_of(service: str) -> set[str]:
    """What the program reads, by its own account; NAME_FILE included."""
    text = help_of(service)
    return set(re.findall(r"^  ([A-Z][A-Z0-9_]+)  ", text, re.M)) | set(re.findall(r"or ([A-Z0-9_]+_FILE):", text))


def environment_of(workload: Document, files: Path) -> dict[str, str]:
    """The container's environment; the files of its secrets lie under another root."""
    container = container_of(workload)
    environment: dict[str, str] = {}
    for source in container["envFrom"]:
        environment |= named("ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container.get("env", []):
        environment[variable["name"]] = variable["value"].replace("/run/secrets", str(files))
    return environment


@pytest.fixture
def secret_files(tmp_path: Path) -> Path:
    """The secrets of the example as the files that they are mounted as."""
    for secret in of_kind("Secret"):
        folder = tmp_path / secret["metadata"]["name"]
        folder.mkdir()
        for name, value in secret["stringData"].items():
            (folder / name).write_text(value)
    return tmp_path


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_accepts_the_settings_that_it_is_given(service: str, secret_files: Path) -> None:
    environment = environment_of(named("Deployment", service), secret_files)
    checked = subprocess.run(
        [BINARIES / service, "--check-config"], env=environment, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "deprecated" not in checked.stderr


def test_every_setting_is_one_that_somebody_knows(secret_files: Path) -> None:
    for document in workloads():
        container = container_of(document)
        name = container["name"]
        readers = SERVICES if name in SERVICES else ["persister"]
        known = set().union(*(settings_of(service) for service in readers)) | {"PGSSLMODE", "PGPASSWORD_FILE"}
        assert environment_of(document, secret_files).keys() <= known
        own = {variable["name"] for variable in container.get("env", [])}
        assert own <= settings_of(readers[0] if name not in SERVICES else name)


@workload
def test_a_secret_is_read_from_a_file_that_is_there(workload: Document, secret_files: Path) -> None:
    files = [value for name, value in environment_of(workload, secret_files).items() if name.endswith("_FILE")]
    assert all(Path(path).exists() for path in files)
    mounts = {mount["mountPath"] for mount in container_of(workload).get("volumeMounts", [])}
    for variable in container_of(workload).get("env", []):
        assert str(Path(variable["value"]).parent) in mounts


# --- hardening ----------------------------------------------------------------------------------------


@workload
def test_a_pod_can_do_nothing_that_it_need_not(workload: Document) -> None:
    pod, container = pod_of(workload), container_of(workload)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_same_memory_wherever_it_runs(service: str) -> None:
    limit = MEMORY_LIMIT_MIB[service]
    assert container_of(named("Deployment", service))["resources"]["limits"] == {"memory": f"{limit}Mi"}
    composed = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    assert composed[service]["mem_limit"] == f"{limit}m"
    assert f"| {service} | {limit} MiB |" in (REPOSITORY / "docs/operations.md").read_text()
    [row] = re.findall(rf"^\| `{service}` \|.*", (REPOSITORY / "docs/docker.md").read_text(), re.MULTILINE)
    assert f"| {limit} MB |" in row


def test_a_service_has_the_time_that_it_takes_to_stop() -> None:
    for deployment in of_kind("Deployment"):
        assert pod_of(deployment)["terminationGracePeriodSeconds"] > 10
        assert pod_of(deployment)["securityContext"]["runAsUser"] == 10001  # that of docker/Dockerfile
    assert "--uid 10001" in (REPOSITORY / "docker/Dockerfile").read_text()
