"""Profiles and experiments make sense before anything is trained."""

import pytest

from gem_tasks.distill import profiles, train
from gem_tasks.distill.experiment import experiments, options_of, plan
from gem_tasks.distill.train import require_machine
from gem_tasks.errors import UserError


def planned(**options):
    return plan(options_of(options))


@pytest.mark.parametrize("name", profiles.names())
def test_every_shipped_profile_loads_and_asks_for_a_set(name):
    found = profiles.load(name)
    assert found.spec().kind == found.kind


def test_the_papers_profiles_have_its_hyperparameters():
    for name in ("qwen3-8b-synthesizer", "qwen3-8b-agent", "qwen3-32b-agent"):
        found = profiles.load(name)
        sft = found.sft
        assert (sft["learning_rate"], sft["lr_scheduler_type"], sft["warmup_steps"]) == (5e-6, "cosine", 0.1)
        assert (sft["num_train_epochs"], sft["weight_decay"], sft["max_length"]) == (2, 0.05, 32768)
        assert (found.batch, found.lora, found.launch) == (64, None, "fsdp2")


@pytest.mark.parametrize("name", experiments())
def test_every_experiment_can_be_planned_and_its_arms_differ(name):
    found = planned(experiment=name, profile="qwen3-8b-agent", sources=["a*", "b*"])
    specs = [(arm.base, found.spec(arm)) for arm in found.experiment.arms]
    assert len(specs) == len(set(map(str, specs)))


def test_refinement_compares_the_same_number_of_drafts_and_refined():
    found = planned(experiment="refinement-ablation", profile="qwen3-8b-agent")
    one, other = (found.spec(arm) for arm in found.experiment.arms)
    assert (one.refined, other.refined) == (False, True)
    assert one.size == other.size == 1000
    assert one.model_copy(update={"refined": True}) == other


def test_a_small_profile_keeps_a_large_experiment_small():
    found = planned(experiment="refinement-ablation", profile="smoke")
    assert {found.spec(arm).size for arm in found.experiment.arms} == {64}
    assert found.options.epochs == 1  # the profile's
    assert planned(profile="smoke", epochs=3).options.epochs == 3


def test_cross_domain_trains_on_the_first_source_and_tests_on_both():
    found = planned(experiment="cross-domain", sources=["A*", "B*"])
    (arm,) = found.experiment.arms
    assert found.spec(arm).sources == ("A*",)
    assert arm.tests == {"A, held out": ("A*",), "B": ("B*",)}
    assert found.spec(arm, arm.tests["B"]).sources == ("B*",)
    with pytest.raises(UserError, match="two sources"):
        planned(experiment="cross-domain")


def test_an_endpoint_of_somebody_elses_is_one_arm():
    found = planned(endpoint_url="http://x/v1", endpoint_model="m")
    assert found.external
    assert [arm.name for arm in found.experiment.arms] == ["m"]
    with pytest.raises(UserError, match="URL and a model"):
        planned(endpoint_url="http://x/v1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"experiment": "nothing"}, "no experiment"),
        ({"profile": "nothing"}, "no training profile"),
        ({"harnesses": ["synthesizer"]}, "No chosen harness suits"),
        ({"epochs": 0}, "epochs"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(options, said):
    with pytest.raises(UserError, match=said):
        planned(**options)


def test_a_profile_of_ones_own_is_read_and_its_faults_are_named(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text("kind: agent\nmodel: {path: a, scratch: null}\nsft: {}\n", encoding="utf-8")
    assert profiles.load(str(own)).name == "mine"
    own.write_text("kind: agent\nmodel: {}\nsft: {}\n", encoding="utf-8")
    with pytest.raises(UserError, match="path"):
        profiles.load(str(own))


def test_what_is_measured_does_not_make_another_model():
    found = profiles.load("smoke")
    assert found.model_copy(update={"measure": {}, "set": {}}).sha256 == found.sha256
    assert found.model_copy(update={"seed": 1}).sha256 != found.sha256


def test_a_profile_for_gpus_is_refused_where_there_are_none(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match="needs GPUs"):
        require_machine(profiles.load("qwen3-8b-agent"))
    require_machine(profiles.load("qwen3-8b-agent-lora"))


def test_the_batch_of_the_paper_is_spread_over_what_gpus_there_are(monkeypatch, tmp_path):
    for visible, steps in (("", 64), ("0,1,2,3", 16), ("0,1,2,3,4,5,6,7", 8)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        job = train._job(profiles.load("qwen3-8b-agent"), tmp_path, base_only=False)
        assert job["sft"]["gradient_accumulation_steps"] == steps


def test_an_imported_set_is_trained_on_alone():
    found = planned(profile="smollm2-135m", imported="5f2c")
    assert {found.spec(arm).imported for arm in found.experiment.arms} == {"5f2c"}
    with pytest.raises(UserError, match="imported set"):
        planned(experiment="refinement-ablation", profile="smollm2-135m", imported="5f2c")


@pytest.mark.parametrize("selected", [{"size": 3}, {"sources": ("a*",)}, {"audited": True}, {"refined": False}])
def test_a_selection_beside_an_imported_set_is_refused_instead_of_ignored(selected):
    with pytest.raises(UserError, match="as a whole"):
        planned(profile="smollm2-135m", imported="5f2c", **selected)
