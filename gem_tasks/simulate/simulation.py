"""Plays one conversation, turn by turn: two models in separate contexts, and a world that gives the results.

    simulation = Simulation(scene, players, session, judge)
    while simulation.request:
        simulation.answered(await client_of(simulation.role).complete(simulation.request))
    simulation.outcome

Deterministic: the same answers lead to the same requests, so that a journal can replay them. A turn that cannot be read
goes back to its model with a complaint and is no part of the conversation, because it had no effect in the world.

| outcome  | reason                                   | when                                                           |
|----------|------------------------------------------|----------------------------------------------------------------|
| accepted |                                          | the user ended it, and the goal is reached                     |
| rejected | `goal_missed`                            | the user ended it; the payload is a negative                   |
| rejected | `user_gave_up`                           | the user ended it before the assistant said anything           |
| rejected | `cap_calls`, `cap_turns`                 | too many calls, or messages of the user                        |
| rejected | `cap_repeats`                            | an equal call had an equal result again and again              |
| rejected | `user_repeats`                           | both said the same again and again                             |
| rejected | `user_unreadable`, `assistant_unreadable`| unusable answers in a row                                      |
| rejected | `world_fault`, `task_fault`              | the code of the world, or of an event of the task, is at fault |
| failed   | an error class                           | the endpoint did not answer, or the model refused              |
"""

from collections import Counter
from collections.abc import Sequence

from gem_tasks.corpus.text.harmless import harmless_json
from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatRequest, Completion, Usage
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.errors import CONFIGURATION, EndpointError, ErrorClass
from gem_tasks.simulate.contexts import of_assistant, of_user
from gem_tasks.simulate.reading import AssistantTurn, Complaint, UserTurn, plain, read_assistant, read_user
from gem_tasks.simulate.review import review
from gem_tasks.simulate.scene import Caps, Judge, Judged, Players, Playground, Role, Scene
from gem_tasks.simulate.transcript import Transcript, as_text
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.steps import Answer, Finding, Step

_CAPS = Caps()


class Simulation:
    """One attempt: either `request` or `outcome` is set.

    Args:
        scene: what is played.
        players: how the models are asked.
        world: a session of the world with the variant's scenario and the scene's seed, at its first state.
        judge: whether steps reached the goal; asked once, at the end.
        caps: limits.
        segment_id: of the outcome.
    """

    def __init__(
        self, scene: Scene, players: Players, world: Playground, judge: Judge, caps: Caps = _CAPS, segment_id: str = ""
    ) -> None:
        self.role: Role = "user"
        """Whose turn it is: which client gets `request`."""
        self.request: ChatRequest | None = None
        self.outcome: Outcome | None = None
        self._scene, self._world, self._judge, self._caps, self._segment_id = scene, world, judge, caps, segment_id
        self._assistant, self._user = of_assistant(players, scene), of_user(players, scene)
        self._transcript = Transcript(scene)
        self._cost, self._used = Cost(), {"assistant": Usage(), "user": Usage()}
        self._unreadable = 0
        self._repeated: Counter[str] = Counter()
        self._exchanges: Counter[str] = Counter()
        self._deeds = {name for name in scene.task.deeds if name in scene.played_variant.scenario.events}
        self._stopped = False
        self._ask("user")

    @property
    def cost(self) -> Cost:
        """Of the answers so far."""
        return self._cost

    def answered(self, completion: Completion) -> None:
        """Reads the answer to `request` and takes its steps in the world; no model output makes it raise."""
        self._cost = self._cost.plus(completion)
        self._used[self.role] += completion.usage
        if completion.finish_reason == "content_filter":
            self._fail(ErrorClass.REFUSED, f"the {self.role}'s model refused: {plain(completion.text)[:200]}")
        elif self.role == "user":
            self._user_said(completion, read_user(completion, self._deeds))
        else:
            self._assistant_said(completion, read_assistant(completion, self._transcript.calls))

    def failed(self, error: EndpointError) -> None:
        """Notes that the endpoint did not answer `request`.

        Raises:
            EndpointError: the same error, if the configuration is at fault.
        """
        if error.error_class in CONFIGURATION or error.parameter:
            raise error
        self._cost = self._cost.wasted(error.faults, error.calls)
        self._fail(error.error_class, error.detail)

    def refused(self, error: RefusedWorldError | ValueError) -> None:
        """Notes that the world cannot be opened."""
        self._reject("world_fault", ": ".join(map(str, error.args)))

    def _user_said(self, answer: Completion, turn: UserTurn | Complaint) -> None:
        if isinstance(turn, Complaint):
            self._complain(answer, turn)
            return
        self._unreadable, self._stopped = 0, turn.stops
        if not turn.words:
            self._finish()
            return
        self._user.say(plain(answer.text))
        self._deeds -= set(turn.deeds)
        self._repeated.clear()
        exchange = f"{self._transcript.said_since()}\n{turn.words}"
        self._exchanges[exchange] += 1
        if self._exchanges[exchange] > self._caps.repeats:
            self._reject("user_repeats", f"both said the same again and again; the user: {turn.words[:80]!r}")
        elif self._transcript.turns == self._caps.turns:
            self._reject("cap_turns", f"the user has had {self._caps.turns} messages")
        elif self._take(self._transcript.user(turn)) is not None:
            self._assistant.hear(turn.words)
            self._ask("assistant")

    def _assistant_said(self, answer: Completion, turn: AssistantTurn | Complaint) -> None:
        if isinstance(turn, Complaint):
            self._complain(answer, turn)
            return
        self._unreadable = 0
        if self._transcript.calls + len(turn.calls) > self._caps.calls:
            self._reject("cap_calls", f"the assistant wants more than {self._caps.calls} calls")
            return
        steps = self._transcript.assistant(turn)
        self._assistant.say(turn.words, (call.written for call in turn.calls), answer.endpoint_fields)
        if turn.calls:
            self._call(turn, steps)
        elif self._stopped:
            self._finish()
        else:
            self._user.hear(self._transcript.said_since())
            self._ask("user")

    def _call(self, turn: AssistantTurn, steps: Sequence[Step]) -> None:
        answers = self._take(steps)
        if answers is None:
            return
        results = [as_text(answer.result) for answer in answers]
        if any(harmless_json(result) != result for result in results):
            self._reject("world_fault", "a result has characters that no conversation may have")
            return
        self._transcript.results(results)
        self._assistant.told(turn, results)
        for step, result in zip(steps, results, strict=True):
            self._repeated[f"{step.model_dump_json()} {result}"] += 1
        text, times = self._repeated.most_common(1)[0]
        if times > self._caps.repeats:
            self._reject("cap_repeats", f"{times} equal calls with equal results: {text[:160]}")
        else:
            self._ask("assistant")

    def _take(self, steps: Sequence[Step]) -> list[Answer] | None:
        """The world's answers; None if it is at fault, which ends the conversation."""
        try:
            answers = self._world.take(steps)
        except RefusedWorldError as error:
            self._reject("world_fault", ": ".join(map(str, error.args)))
            return None
        faults = [fault for each in answers for fault in each.findings if fault.reason != "unenforced"]
        if faults:
            self._reject("task_fault" if faults[0].fault_of == "scenario" else "world_fault", _told(faults[0]))
            return None
        return answers

    def _complain(self, answer: Completion, complaint: Complaint) -> None:
        self._cost = self._cost.wasted({ErrorClass.MALFORMED: 1}, calls=0)
        self._unreadable += 1
        if self._unreadable > self._caps.unreadable:
            self._reject(f"{self.role}_unreadable", complaint.text)
            return
        context = self._user if self.role == "user" else self._assistant
        context.complain(answer, complaint.text)
        self._ask(self.role)

    def _ask(self, role: Role) -> None:
        self.role = role
        self.request = (self._user if role == "user" else self._assistant).request

    def _finish(self) -> None:
        """The user has left: did they get what they wanted?"""
        if self._transcript.messages[-1].role != "assistant":
            self._reject("user_gave_up", "the user left before the assistant said anything")
            return
        try:
            judged = self._judge(tuple(self._transcript.steps))
        except RefusedWorldError as error:
            self._reject("world_fault", ": ".join(map(str, error.args)))
            return
        except ValueError as error:  # the reference cannot be carried out
            self._reject("task_fault", str(error))
            return
        if not judged.reached:
            self._reject("goal_missed", "; ".join(judged.reasons), judged)
            return
        payload = self._payload(judged)
        self._end(Outcome(segment_id=self._segment_id, kind="accepted", payload=payload, measures=self._measures()))

    def _reject(self, reason: str, detail: str, judged: Judged | None = None) -> None:
        payload = self._payload(judged) if judged else None
        outcome = Outcome(segment_id=self._segment_id, kind="rejected", reason=reason, detail=detail, payload=payload)
        self._end(outcome.model_copy(update={"measures": self._measures()}))

    def _fail(self, error_class: ErrorClass, detail: str) -> None:
        self._end(Outcome(segment_id=self._segment_id, kind="failed", error_class=error_class, detail=detail))

    def _end(self, outcome: Outcome) -> None:
        self.request, self.outcome = None, outcome.model_copy(update={"cost": self._cost})

    def _payload(self, judged: Judged) -> str:
        return harmless_json(self._transcript.played(judged).model_dump_json())

    def _measures(self) -> Json:
        """For the lineage: what was played, what each player used, and what the user's words have from the task."""
        scene, transcript = self._scene, self._transcript
        played = {"task": scene.index, "variant": scene.variant, "seed": scene.seed, "attempt": scene.attempt}
        size = {"messages": len(transcript.messages), "tools": len(scene.tools), "calls": transcript.calls}
        called = {call.name for message in transcript.messages for call in message.tool_calls}
        tokens = {role: used.model_dump(exclude_defaults=True) for role, used in self._used.items()}
        found = review(scene.task, scene.tools, transcript.messages)
        return {**size, "called": sorted(called), "turns": transcript.turns, **played, "tokens": tokens, **found}


def _told(fault: Finding) -> str:
    return f"{fault.where}: {fault.reason}: {fault.detail}"
