"""Prompts are Markdown files beside this one: static instructions, then named sections of data.

The file is the system message, word for word, so a server can cache the prefix. Data never enters a template: each
section goes into the user message inside a fence longer than any fence in the data, so no text can close it.

`load` reads the files beside this one. A run uses a `PromptSet`, which may contain the user's prompts: see
`pipeline.prompt_files`, and `contract` for the requirements of such a file.
"""

import re
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatMessage
from gem_tasks.domain.stage import EVERY_STAGE, USER_PROMPT, prompt_of

_HERE = files(__package__ or __name__)
NAMES = tuple(
    name
    for name in (*dict.fromkeys(map(prompt_of, EVERY_STAGE)), USER_PROMPT, "repair")
    if _HERE.joinpath(f"{name}.md").is_file()
)
"""All prompts: one per stage (see `SHARED_PROMPTS`), one for the simulated user, and one for unusable answers."""


class Prompt(Value):
    """A prompt's text and the hash that identifies it in recipes and lineage."""

    name: str
    text: str
    origin: str | None = None
    """Location of the user's file; None for GEM's prompts."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the text in UTF-8, as hex."""
        return sha256(self.text.encode()).hexdigest()

    def messages(self, **sections: str) -> tuple[ChatMessage, ChatMessage]:
        """System and user message. Sections appear in the order given: put the text last."""
        body = "\n\n".join(section(name.replace("_", " ").capitalize(), data) for name, data in sections.items())
        return self._system, ChatMessage(role="user", content=body)

    @cached_property
    def _system(self) -> ChatMessage:
        return ChatMessage(role="system", content=self.text)


class PromptSet(Value):
    """One prompt of each name."""

    by_name: dict[str, Prompt]

    def __getitem__(self, name: str) -> Prompt:
        return self.by_name[name]

    def changed(self, *own: Prompt) -> "PromptSet":
        """Returns a set in which these prompts replace those of the same name."""
        return PromptSet(by_name=self.by_name | {prompt.name: prompt for prompt in own})


def section(title: str, data: str) -> str:
    """A heading and the data between two fences of tildes that the data cannot contain."""
    longest = max((len(run) for run in re.findall(r"~+", data)), default=0) if "~" in data else 0
    fence = "~" * max(4, longest + 1)
    return f"# {title}\n{fence}\n{data}\n{fence}"


def sections(body: str) -> dict[str, str]:
    """The inverse of `Prompt.messages`: data by lower-case title, in order."""
    found = re.finditer(r"^# ([^\n]+)\n(~{4,})\n(.*?)\n\2$", body, re.DOTALL | re.MULTILINE)
    return {match[1].lower(): match[3] for match in found}


@cache
def load(name: str) -> Prompt:
    """The prompt of that name.

    Raises:
        FileNotFoundError: there is no such file.
    """
    text = _HERE.joinpath(f"{name}.md").read_text(encoding="utf-8")
    return Prompt(name=name, text=text)


def shipped() -> PromptSet:
    """All of GEM's prompts."""
    return PromptSet(by_name={name: load(name) for name in NAMES})
