"""What conversations really are, beside what their plans asked for."""

from collections.abc import Mapping

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.domain.costs import known_total
from gem_tasks.domain.interval import wilson
from gem_tasks.domain.plan import CHOICES

PATTERNS = "patterns"
PREMISE = ("false_premise", "rule_conflict", "domain_rules")
"""Patterns of a user who is wrong about something, or may not have it."""
OTHER = "other"
"""The judge's option where none of a menu fits."""


class Found(Value):
    """What a judge says about one conversation."""

    choices: dict[str, str] = Field(default_factory=dict)
    """Option by menu, or `OTHER`."""
    patterns: dict[str, int] = Field(default_factory=dict)
    """By pattern: the message where it is plainest, 0 if it does not occur."""
    unreadable: dict[str, str] = Field(default_factory=dict)
    """Why an answer does not count, by menu or pattern; `answer` if all of it is unreadable."""


class Judged(Value):
    """A stored judgement, with what was planned."""

    trajectory_id: str
    planned: dict[str, str | int]
    """`Plan.facts`; empty for a conversation without a plan."""
    found: Found
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None


class Kept(Value):
    """One option: how often it was planned, how often it occurs, how often both."""

    planned: int = 0
    realised: int = 0
    kept: int = 0

    @property
    def share(self) -> float | None:
        """Of the planned ones, those that keep it; None if none was planned."""
        return self.kept / self.planned if self.planned else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of `share`."""
        return wilson(self.kept, self.planned) if self.planned else None

    def plus(self, planned: bool, realised: bool) -> "Kept":
        """With one more conversation."""
        return Kept(
            planned=self.planned + planned, realised=self.realised + realised, kept=self.kept + (planned and realised)
        )


class Share(Value):
    """A share of conversations with its 95 % interval."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """None of no conversations."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's; all or nothing is known of no conversations."""
        return wilson(self.count, self.of) if self.of else (0.0, 1.0)


Options = dict[str, dict[str, Kept]]
"""By menu and option."""


class Realised(Value):
    """Of a dataset version: counts that code makes of all conversations, and what a judge says about a sample."""

    conversations: int
    by_code: Options = Field(default_factory=dict)
    tool_error: int = 0
    """Conversations in which a result reports an error."""
    last_question: int = 0
    """Conversations whose last message ends with a question."""
    means: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Mean planned and mean real number of `messages` and `user_turns`, of conversations with a plan."""
    judged: int = 0
    """Conversations with a readable answer."""
    judge: dict[str, str] = Field(default_factory=dict)
    """Model, and hashes of prompt and menus."""
    not_judged: str = ""
    """Why no model judged; empty if one did."""
    options: Options = Field(default_factory=dict)
    """What the judge says. A pattern is an option of `patterns`."""
    answers: dict[str, int] = Field(default_factory=dict)
    """Readable answers by menu, or by pattern."""
    premise: tuple[int, int] = (0, 0)
    """Conversations with one of `PREMISE`, and those with a readable answer about one of them."""
    unreadable: dict[str, int] = Field(default_factory=dict)
    """Answers that do not count, by menu or pattern; `answer` for whole ones."""
    usd: float | None = None

    @property
    def menus(self) -> dict[str, dict[str, Kept]]:
        """All options by menu in the order of plans; the most frequent option first."""
        found = self.by_code | self.options
        return {
            menu: dict(sorted(found[menu].items(), key=lambda item: (-item[1].realised, item[0])))
            for menu in (*CHOICES, PATTERNS)
            if menu in found
        }

    @property
    def headlines(self) -> dict[str, Share]:
        """The four plots that strong models repeat; the judged ones only if they were judged."""
        found = {"tool_error": Share(count=self.tool_error, of=self.conversations)}
        for name, menu, option in (("look_alikes", "look_alikes", "yes"), ("recap", "ending", "recap")):
            if of := self.answers.get(menu):
                found[name] = Share(count=self.options[menu].get(option, Kept()).realised, of=of)
        if self.premise[1]:
            found["premise"] = Share(count=self.premise[0], of=self.premise[1])
        return found


def tallied(options: Options, menu: str, planned: str | None, realised: str) -> None:
    """Counts one conversation under its planned and its real option."""
    found = options.setdefault(menu, {})
    for option in {planned, realised} - {None}:
        found[str(option)] = found.get(str(option), Kept()).plus(option == planned, option == realised)


def with_judgements(counted: Realised, judged: list[Judged], judge: Mapping[str, str]) -> Realised:
    """The counts, and what the judge says about a sample of the same conversations."""
    options: Options = {}
    answers: dict[str, int] = {}
    unreadable: dict[str, int] = {}
    for each in judged:
        for name in each.found.unreadable:
            unreadable[name] = unreadable.get(name, 0) + 1
        for menu, option in each.found.choices.items():
            planned = each.planned.get(menu)
            tallied(options, menu, None if planned is None else str(planned), option)
            answers[menu] = answers.get(menu, 0) + 1
        planned_patterns = {name for name in str(each.planned.get(PATTERNS) or "").split(", ") if name}
        for name, at in each.found.patterns.items():
            shown = options.setdefault(PATTERNS, {})
            shown[name] = shown.get(name, Kept()).plus(name in planned_patterns, bool(at))
            answers[name] = answers.get(name, 0) + 1
    about = [[each.found.patterns[name] for name in PREMISE if name in each.found.patterns] for each in judged]
    return counted.model_copy(
        update={
            "judged": sum("answer" not in each.found.unreadable for each in judged),
            "judge": dict(judge),
            "not_judged": "",
            "options": options,
            "answers": answers,
            "premise": (sum(any(places) for places in about), sum(bool(places) for places in about)),
            "unreadable": unreadable,
            "usd": known_total(each.usd for each in judged),
        }
    )
