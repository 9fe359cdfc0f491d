"""Runs bfcl-eval's own generation and evaluation in one process, for one OpenAI-compatible endpoint.

    python run.py JOB.json          address and key: OPENAI_BASE_URL, OPENAI_API_KEY

Text of the model is never evaluated (`calls`).

Registers a handler instead of editing the package. One process instead of two calls of its command line, because the
imports take ten seconds. Writes events as JSON lines to stdout; everything the package prints goes to stderr.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from calls import caller, literal

REGISTRY_NAME = "gem"  # no underscore: scoring takes those for slashes


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.environ["BFCL_PROJECT_ROOT"] = job["root"]
    os.environ.setdefault("OPENAI_API_KEY", "EMPTY")
    events, sys.stdout = sys.stdout, sys.stderr

    def say(**event: object) -> None:
        events.write(json.dumps(event) + "\n")
        events.flush()

    say(event="phase", name="load bfcl-eval")
    from bfcl_eval._llm_response_generation import main as generate
    from bfcl_eval.constants.eval_config import TEST_IDS_TO_GENERATE_PATH
    from bfcl_eval.eval_checker.eval_runner import main as evaluate
    from bfcl_eval.utils import load_dataset_entry

    entries = {category: load_dataset_entry(category, include_prereq=False) for category in job["categories"]}
    ids = {category: [case["id"] for case in cases] for category, cases in entries.items()}
    if job["ids"]:
        unknown = sorted(set(job["ids"]) - {case for cases in ids.values() for case in cases})
        if unknown:
            say(event="unknown", ids=unknown)
            return
        ids = {category: [case for case in cases if case in job["ids"]] for category, cases in ids.items()}
        ids = {category: cases for category, cases in ids.items() if cases}
        wanted = {category: _with_prior(entries[category], cases) for category, cases in ids.items()}
        TEST_IDS_TO_GENERATE_PATH.write_text(json.dumps(wanted))
    say(event="tasks", sha256=_digest(entries, ids))
    say(event="plan", ids=ids)
    _disarm()
    _register(job, lambda case: say(event="case", id=case))
    generate(
        SimpleNamespace(
            model=[REGISTRY_NAME],
            test_category=list(ids),
            temperature=job["temperature"],
            include_input_log=False,
            exclude_state_log=True,
            num_gpus=1,
            num_threads=job["threads"],
            gpu_memory_utilization=0.9,
            backend="vllm",
            skip_server_setup=True,
            local_model_path=None,
            result_dir=None,
            allow_overwrite=False,  # keeps existing results: a later call resumes
            run_ids=bool(job["ids"]),
            enable_lora=False,
            max_lora_rank=None,
            lora_modules=None,
        )
    )
    say(event="phase", name="score")
    evaluate([REGISTRY_NAME], list(ids), None, None, partial_eval=True)
    say(event="done")


def _with_prior(entries: list, ids: list) -> list:
    """The cases, after the conversations that a memory case remembers."""
    prior = (each for case in entries if case["id"] in ids for each in case.get("depends_on", []))
    return [*dict.fromkeys(prior), *ids]


def _digest(entries: dict, ids: dict) -> str:
    """SHA-256 of the cases that run: questions, functions, where they begin, and the answers that count."""
    from bfcl_eval.utils import is_relevance_or_irrelevance, load_ground_truth_entry

    rows = []
    for category, wanted in sorted(ids.items()):
        truth = [None] * len(entries[category])
        if not is_relevance_or_irrelevance(category):
            truth = load_ground_truth_entry(category)
        known = dict(zip([case["id"] for case in entries[category]], zip(entries[category], truth), strict=True))
        rows += [[category, *known[case]] for case in wanted]
    return hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()


def _disarm() -> None:
    """The package gives text of the model to `eval` in two modules: there the name means something that evaluates nothing."""
    from bfcl_eval.constants.executable_backend_config import CLASS_FILE_PATH_MAPPING
    from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
    from bfcl_eval.model_handler import utils

    def of_a_case(found: object) -> bool:
        return type(found).__name__ in CLASS_FILE_PATH_MAPPING

    multi_turn_utils.eval = caller(vars(multi_turn_utils), of_a_case)
    utils.eval = literal


def _register(job: dict, ended) -> None:
    import bfcl_eval.constants.model_config as registry
    from bfcl_eval.model_handler.api_inference.openai_completion import OpenAICompletionsHandler

    extra = {name: job[name] for name in ("temperature", "seed", "max_tokens") if job[name] is not None}
    if job["thinking"] is not None:
        extra["extra_body"] = {"chat_template_kwargs": {"enable_thinking": job["thinking"]}}

    class Handler(OpenAICompletionsHandler):
        """The package's own, with our sampling, a time limit, and the case's id in a header for the server's log."""

        def _build_client_kwargs(self):
            return {**super()._build_client_kwargs(), "timeout": job["request_timeout_s"]}

        def inference(self, test_entry, *args, **kwargs):
            try:
                return super().inference(test_entry, *args, **kwargs)
            finally:
                if "_prereq" not in test_entry["id"]:
                    ended(test_entry["id"])

        def _pre_query_processing_FC(self, inference_data, test_entry):
            return {**super()._pre_query_processing_FC(inference_data, test_entry), "case": test_entry["id"]}

        def _pre_query_processing_prompting(self, test_entry):
            return {**super()._pre_query_processing_prompting(test_entry), "case": test_entry["id"]}

        def _query_FC(self, inference_data):
            messages, tools = inference_data["message"], inference_data["tools"]
            inference_data["inference_input_log"] = {"message": repr(messages), "tools": tools}
            with_tools = {"tools": tools} if tools else {}
            return self._ask(inference_data, **with_tools)

        def _query_prompting(self, inference_data):
            inference_data["inference_input_log"] = {"message": repr(inference_data["message"])}
            return self._ask(inference_data)

        def _ask(self, inference_data, **more):
            return self.generate_with_backoff(
                messages=inference_data["message"],
                model=self.model_name,
                extra_headers={"X-BFCL-Test-Id": inference_data["case"]},
                **extra,
                **more,
            )

    registry.MODEL_CONFIG_MAPPING[REGISTRY_NAME] = registry.ModelConfig(
        model_name=job["model"],
        display_name=REGISTRY_NAME,
        url="",
        org="",
        license="",
        model_handler=Handler,
        is_fc_model=job["mode"] == "native",
        underscore_to_dot=True,  # as for every OpenAI model with native calls
    )


if __name__ == "__main__":
    main()
