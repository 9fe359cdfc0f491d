"""Rows in the formats that training frameworks read. Pure.

| format | file | particulars |
|---|---|---|
| trl | JSONL | `messages` with arguments as objects, `tools` as a JSON string |
| sharegpt | JSONL, `dataset_info.json` | LLaMA-Factory: turns alternate; no text beside a call; results merged |
| llamafactory-openai | JSONL, `dataset_info.json` | LLaMA-Factory's `formatting: openai`, calls as a JSON text |
| axolotl | JSONL, `axolotl.yaml` | `chat_template` with `field_tools`; which roles are trained |
| ms-swift | JSONL | roles `tool_call` and `tool_response`, one call per message |
| verl | Parquet | everything rendered into role and content, since it tokenizes turn by turn |
| nemo | JSONL, `nemo_automodel.yaml` | NeMo AutoModel's `ChatDataset`: arguments as strings, tools as a list |
| atif | JSONL | Agent Trajectory Interchange Format 1.7, which is also the Agent Data Protocol's second version |
| adp | JSONL | the Agent Data Protocol's first version: actions and observations |
| steps | JSONL | reinforcement learning: one row per turn with calls, with the state before it |

Rows that a framework would silently skip or cut are changed here without losing text, or left out and counted. The
column `tool_errors` has the positions of the turns in which a tool reports an error, as a JSON list.

Thoughts of the assistant are `reasoning_content` beside the content in trl, axolotl, nemo and atif, `<think>` at the
beginning of the content in the others, and the `description` of actions in adp; without thoughts there is no such key.
"""

from gem_tasks.distill.formats.conversation import Conversation, Convert
from gem_tasks.distill.formats.llama_factory import dataset_info, sharegpt
from gem_tasks.distill.formats.llama_factory import openai as llama_factory_openai
from gem_tasks.distill.formats.ms_swift import ms_swift
from gem_tasks.distill.formats.openai_messages import AXOLOTL, NEMO, axolotl, nemo, trl
from gem_tasks.distill.formats.steps import steps
from gem_tasks.distill.formats.trajectories import adp, atif
from gem_tasks.distill.formats.verl import verl

__all__ = ["FORMATS", "Conversation", "Convert", "side_files"]

FORMATS: dict[str, Convert] = {
    "trl": trl,
    "sharegpt": sharegpt,
    "llamafactory-openai": llama_factory_openai,
    "axolotl": axolotl,
    "ms-swift": ms_swift,
    "verl": verl,
    "nemo": nemo,
    "atif": atif,
    "adp": adp,
    "steps": steps,
}


def side_files(name: str) -> dict[str, str]:
    """Additional files that the framework needs, by file name."""
    found = {
        "sharegpt": {"dataset_info.json": dataset_info("sharegpt")},
        "llamafactory-openai": {"dataset_info.json": dataset_info("openai")},
        "axolotl": {"axolotl.yaml": AXOLOTL},
        "nemo": {"nemo_automodel.yaml": NEMO},
    }
    return found.get(name, {})
