"""The Helm values against the official chart, on demand: `GEM_TEST_CHART=DIR pytest tests/e2e/test_chart.py`.

DIR is what `helm pull apache-airflow/airflow --version 1.19.0 --untar` unpacks. Helm itself is not needed:
`pip install helm-python-sdk kubernetes-validate` brings its engine, and Kubernetes' schemas of each version.
"""

import configparser
import json
import os
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.pages import ROOT

CHART = os.environ.get("GEM_TEST_CHART")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHART, reason="set GEM_TEST_CHART to a folder with the unpacked Helm chart"),
]

VALUES = yaml.safe_load((ROOT / "deploy/helm-values.yaml").read_text("utf-8"))
PARTS = {
    "run-airflow-migrations": "migrateDatabaseJob", "api-server": "apiServer", "scheduler": "scheduler",
    "triggerer": "triggerer", "dag-processor": "dagProcessor", "worker": "workers",
}  # fmt: skip
"""What the chart calls a pod's component, and the values that it has."""
HARDENED = VALUES["securityContexts"]["containers"]
IMAGE = "{repository}:{tag}".format(**VALUES["images"]["airflow"])


@cache
def chart():
    return pytest.importorskip("helm_python").Chart.load(CHART)


@cache
def objects():
    """All that Helm would apply."""
    rendered = chart().render(VALUES, name="gem", namespace="gem")
    texts = [text for name, text in rendered.items() if Path(name).suffix in {".yaml", ".yml"}]
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


@cache
def config():
    """The files that the chart mounts into Airflow's home."""
    maps = [each["data"] for each in objects() if each["kind"] == "ConfigMap"]
    (found,) = [each for each in maps if "airflow.cfg" in each]
    return found


def template():
    return yaml.safe_load(config()["pod_template_file.yaml"])


def pods():
    """The pods of Airflow, by component; a task's is `worker`."""
    found = {}
    for each in [*objects(), template()]:
        pod = each if each["kind"] == "Pod" else each.get("spec", {}).get("template", {})
        if (component := pod.get("metadata", {}).get("labels", {}).get("component")) in PARTS:
            found[component] = pod["spec"]
    return found


def containers(pod):
    return [*(pod.get("initContainers") or []), *pod["containers"]]


def environment(container):
    """Plain variables, and secret ones as (Secret, key). A name may come twice: the last counts."""
    plain, secret = {}, {}
    for each in container.get("env") or []:
        if reference := each.get("valueFrom", {}).get("secretKeyRef"):
            secret[each["name"]] = (reference["name"], reference["key"])
        else:
            plain[each["name"]] = each.get("value")
    return plain, secret


def expected(variables):
    return {
        each["name"]: tuple(each["valueFrom"]["secretKeyRef"][part] for part in ("name", "key")) for each in variables
    }


def unknown(ours, theirs, path=""):
    """Names of ours that the chart's own values lack; an empty mapping of theirs takes any name."""
    for name, value in ours.items():
        if name not in theirs:
            yield f"{path}{name}"
        elif isinstance(value, dict) and isinstance(theirs[name], dict) and theirs[name]:
            yield from unknown(value, theirs[name], f"{path}{name}.")


def test_the_chart_knows_each_value_and_takes_it():
    """A name that it does not know has no effect."""
    settings = {name: value for name, value in VALUES.items() if name != "config"}  # each section is open
    assert list(unknown(settings, chart().values)) == []
    if chart().schema:
        chart().validate_schema(VALUES)


def test_kubernetes_takes_each_object():
    kubernetes = pytest.importorskip("kubernetes_validate")
    for each in [*objects(), template()]:
        kubernetes.validate(each, kubernetes.latest_version(), strict=True)


def test_each_pod_is_there_and_no_user_is_made():
    assert set(pods()) == set(PARTS)
    names = [each["metadata"]["name"] for each in objects()]
    assert [name for name in names if "create-user" in name or "postgresql" in name or "redis" in name] == []


@pytest.mark.parametrize("component", PARTS)
def test_a_pod_runs_our_image_without_rights_of_root(component):
    pod = pods()[component]
    assert pod["securityContext"]["runAsUser"] == 50000
    for each in containers(pod):
        assert each["image"] == IMAGE, each["name"]
        assert each["securityContext"] == HARDENED, each["name"]
        mounted = {mount["mountPath"] for mount in each["volumeMounts"]}
        assert {mount["mountPath"] for mount in VALUES["volumeMounts"]} <= mounted, each["name"]
    volumes = {each["name"] for each in pod["volumes"]}
    assert {mount["name"] for each in containers(pod) for mount in each["volumeMounts"]} <= volumes


@pytest.mark.parametrize("component", PARTS)
def test_a_pod_has_the_settings_of_all_and_its_own_secrets_only(component):
    values = VALUES[PARTS[component]]
    main = pods()[component]["containers"][0]
    plain, secret = environment(main)
    assert {each["name"]: each["value"] for each in VALUES["env"]}.items() <= plain.items()
    ours = {name: each for name, each in secret.items() if "KUBERNETES_ENVIRONMENT_VARIABLES" not in name}
    assert ours == expected(values["env"])
    assert set(secret.values()) == set(ours.values())
    assert not main.get("envFrom")
    for each in pods()[component].get("initContainers") or []:
        assert environment(each)[1] == expected(values["waitForMigrations"]["env"]), each["name"]


def test_what_the_chart_tells_a_container_is_in_our_image():
    """Programs by a path: Airflow's own image has others, such as `/clean-logs`."""
    told = json.dumps([
        [each.get(part) for part in ("command", "args", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle")]
        for pod in pods().values() for each in containers(pod)
    ])  # fmt: skip
    assert "/clean-logs" not in told
    assert "dumb-init" not in told


def test_the_executor_starts_tasks_in_our_image_and_pods_reach_the_api_server():
    parser = configparser.RawConfigParser()
    parser.read_string(config()["airflow.cfg"])
    assert parser["core"]["executor"] == "KubernetesExecutor"
    assert parser["core"]["dags_folder"] == VALUES["config"]["core"]["dags_folder"]
    executor = parser["kubernetes_executor"]
    assert f"{executor['worker_container_repository']}:{executor['worker_container_tag']}" == IMAGE
    (mounted,) = [
        mount for each in pods()["scheduler"]["containers"] for mount in each["volumeMounts"]
        if mount["mountPath"] == executor["pod_template_file"]
    ]  # fmt: skip
    assert mounted["subPath"] == "pod_template_file.yaml"
    url = {each["name"]: each["value"] for each in VALUES["env"]}["GEM_AIRFLOW_URL"]
    assert parser["core"]["execution_api_server_url"] == f"{url}/execution/"


def test_the_chart_hides_no_module_of_ours():
    """Its `airflow_local_settings.py` lies in Airflow's folder, after PYTHONPATH: `tests/dags/test_workers.py`."""
    assert "PYTHONPATH" not in {
        name for pod in pods().values() for each in containers(pod) for name in environment(each)[0]
    }
    compile(config().get("airflow_local_settings.py", ""), "airflow_local_settings.py", "exec")


def test_the_executor_makes_a_pod_that_kubernetes_takes():
    """By the provider's own merge of the template with what a task needs."""
    kubernetes = pytest.importorskip("kubernetes_validate")
    generator = pytest.importorskip("airflow.providers.cncf.kubernetes.pod_generator").PodGenerator
    pod = generator.construct_pod(
        dag_id="gem_synthesize", task_id="generate.run", pod_id="gem-1", try_number=1, kube_image=IMAGE, date=None,
        args=["python", "-m", "airflow.sdk.execution_time.execute_workload", "--json-string", "{}"],
        pod_override_object=None, base_worker_pod=generator.deserialize_model_dict(template()), namespace="gem",
        scheduler_job_id="1", run_id="manual", map_index=0,
    )  # fmt: skip
    made = generator.serialize_pod(pod)
    kubernetes.validate({"apiVersion": "v1", "kind": "Pod"} | made, kubernetes.latest_version(), strict=True)
    (base,) = made["spec"]["containers"]
    assert (base["image"], base["args"][0], base["securityContext"]) == (IMAGE, "python", HARDENED)
    assert made["spec"]["securityContext"]["runAsUser"] == 50000
    assert environment(base)[1] == expected(VALUES["workers"]["env"])
    assert environment(base)[0]["AIRFLOW_IS_K8S_EXECUTOR_POD"] == "True"
    assert {each["name"] for each in base["volumeMounts"]} <= {each["name"] for each in made["spec"]["volumes"]}
