"""Which question is it? Recognised by the form of answer that the instructions ask for, not by their prose."""

import logging
from collections.abc import Callable
from hashlib import sha256

from gem_tasks.prompts import sections
from offline_teacher import extract, filter, generate, refine, revise, simulate, task, validate, world
from offline_teacher.server.workers import UnknownTask

logger = logging.getLogger(__name__)

Answer = Callable[[dict[str, str], int], str]
_DRAWS = 4
_SORRY = "offline-rules has no answer to this question: its rules trip over the text. The teacher's log says where."


def _refine(parts: dict[str, str], seed: int) -> str:
    """Refine and revise ask for the same form; only the latter lists findings."""
    return (revise if "findings" in parts else refine).answer(parts, seed)


# The first mark found in the instructions decides; refine also asks for a <trajectory>, so it stands first.
_MARKS: tuple[tuple[str, Answer], ...] = (
    ("<multi_step>", filter.answer),
    ("<execution_graph>", extract.answer),
    ("<reads>", world.answer),
    ("<wishes>", task.answer),
    ("<toolsets>", _refine),
    ("<trajectory>", generate.answer),
    ('"R1"', validate.answer),
)
# Players answer the last message of a conversation, not a question.
_PLAYERS: tuple[tuple[str, Callable[[simulate.Messages], str]], ...] = (
    (simulate.STOP, simulate.user),
    ("<func>", simulate.assistant),
)


def answer(messages: list[tuple[str, str]]) -> str:
    """The completion for `(role, content)` messages. Equal questions get equal answers.

    A conversation that asks for a repair is answered like its beginning: the rules do not learn from complaints.

    A text over which the rules trip is tried again with other draws. If they trip over all of them, the answer says so
    instead of having the asked form: that is a malformed answer, as any model gives now and then, and no server error.

    Raises:
        UnknownTask: it is none of GEM's questions.
    """
    system = next((content for role, content in messages if role == "system"), "")
    user = next((content for role, content in messages if role == "user"), "")
    for mark, respond in _MARKS:
        if mark in system:
            seed = int.from_bytes(sha256(f"{mark}\0{user}".encode("utf-8", "replace")).digest()[:8], "big")
            return _guarded(respond, user, seed)
    for mark, play in _PLAYERS:
        if mark in system:
            return play(messages)
    raise UnknownTask(f"{len(system)} characters of instructions ask for no form of answer that offline-rules knows")


def _guarded(respond: Answer, user: str, seed: int) -> str:
    for draw in range(_DRAWS):
        try:
            return respond(sections(user), seed + draw)
        except Exception:  # a test double must not be the reason why a text fails
            logger.exception("the rules trip over a question of %d characters (draw %d)", len(user), draw + 1)
    return _SORRY
