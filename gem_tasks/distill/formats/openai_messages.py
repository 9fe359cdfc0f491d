"""The formats that keep the messages of the Chat Completions API: TRL, axolotl and NeMo AutoModel.

They differ in the arguments of calls. A chat template that expects an object writes a string as a string within JSON,
and a model learns that; a loader that knows only one type per column fills objects with the keys of other rows.
"""

from gem_tasks.distill.formats.conversation import Conversation, called, calls, dump, reports_error, whole
from gem_tasks.domain.base import Json

AXOLOTL = """# The part of an axolotl configuration that reads these files.
datasets:
  - path: train.jsonl
    ds_type: json
    type: chat_template
    field_messages: messages
    field_tools: tools
    roles_to_train: [assistant]
    train_on_eos: turn
"""
NEMO = """# The part of a NeMo AutoModel recipe that reads this file. AutoModel gives every chat template the arguments
# of calls as JSON strings. Of TRL's templates only those of Qwen3 and the first four of Gemma 4 write them as they
# are; Qwen2.5, Qwen3.5 and later, Llama 3, GLM, gpt-oss and Nemotron write a string within JSON, or stop: train those
# with another framework.
dataset:
  _target_: nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset
  path_or_dataset_id: train.jsonl
"""


def trl(found: Conversation) -> Json:
    """TRL: arguments are objects.

    `datasets` from 5 on keeps them unchanged; older versions add the keys of other rows' arguments as nulls.
    """
    return {**_row([_decoded(whole(each)) for each in found.messages], found), "tools": dump(found.tools)}


def axolotl(found: Conversation) -> Json:
    """Axolotl: it decodes JSON strings of tools and arguments before rendering, which avoids Arrow's nulls."""
    return {**_row([whole(each) for each in found.messages], found), "tools": dump(found.tools)}


def nemo(found: Conversation) -> Json:
    """NeMo AutoModel's `ChatDataset`: arguments as strings, to which it converts everything; tools as a list."""
    return {**_row([whole(each) for each in found.messages], found), "tools": found.tools}


def _row(messages: list[Json], found: Conversation) -> Json:
    at = [place for place, message in enumerate(found.messages) if reports_error(message)]
    return {"messages": messages, "tool_errors": dump(at)}


def _decoded(message: Json) -> Json:
    decoded = [{**call, "function": called(call)} for call in calls(message)]
    return {**message, "tool_calls": decoded} if decoded else message
