"""A plan of one conversation: the choices drawn from the menus, and the words that tell its writer."""

from collections.abc import Mapping

from gem_tasks.domain.base import Value

CHOICES = (
    "temper", "expertise", "verbosity", "register", "disclosure", "language",
    "opening", "ending", "change_of_mind", "look_alikes", "voice", "system_turn", "parallel_calls", "length",
)  # fmt: skip
"""Menus from which one option is drawn, in the order of the columns."""


class Plan(Value):
    """What a conversation is to be like. Equal identities under equal menus get equal plans."""

    choices: dict[str, str]
    """Option by menu: one for each of `CHOICES`."""
    patterns: tuple[str, ...] = ()
    """Names of the patterns, none to four."""
    messages: int
    """Number of messages to aim for after refinement: the system turn and every tool result count."""
    user_turns: int
    """Number of the user's turns to aim for."""
    words: dict[str, str]
    """What the writer is told, by menu; a pattern's words by its own name."""

    @property
    def facts(self) -> dict[str, str | int]:
        """Flat: the option of every choice, the patterns as one text, the numbers as numbers."""
        drawn = {menu: self.choices[menu] for menu in CHOICES if menu in self.choices}
        return {
            **drawn, "patterns": ", ".join(self.patterns), "messages": self.messages, "user_turns": self.user_turns
        }  # fmt: skip


COLUMNS: dict[str, type] = {
    **{f"plan_{name}": str for name in (*CHOICES, "patterns")}, "plan_messages": int, "plan_user_turns": int,
}  # fmt: skip
"""Columns in which datasets and exports carry `Plan.facts`, and the type of their values."""


def columns_of(facts: Mapping[str, str | int] | None) -> dict[str, str | int | None]:
    """The same columns for every conversation; None in those that its plan lacks, or all if it has none."""
    return {column: (facts or {}).get(column.removeprefix("plan_")) for column in COLUMNS}
