"""The line in worlds with stand-ins for stages that have not arrived, and an endpoint that has every answer."""

import json
from contextlib import contextmanager

from aiohttp import web

from gem_tasks import stages
from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.domain.outcome import Accepted, Cost, Malformed, Outcome
from gem_tasks.domain.workflow import Extraction
from gem_tasks.pipeline import workspace as workspaces
from gem_tasks.pipeline.worlds import playing, proved
from gem_tasks.prompts import Prompt, shipped
from gem_tasks.stages.base import Stage
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.played import Execution, Played
from gem_tasks.worlds.task import Task, Tasks, Variant, Wish
from gem_tasks.worlds.world import Tool, World
from tests.factories import make_trajectory
from tests.integration.endpoint import answer
from tests.pins.stages import RULINGS, TOPIC, WORKFLOW

NAMES = ("world", "task", "simulate", "simulate.user")
PROMPTS = {name: Prompt(name=name, text=f"You are the {name}.") for name in NAMES}


class JsonStage(Stage):
    """Reads its output as JSON."""

    version = 1
    sampling = Sampling()
    asks_for = ()

    def __init__(self, name, output, *needs):
        self.name, self.output, self.needs = name, output, needs

    def request(self, record, prompt):
        return prompt.messages(title=record.needed("extract", Extraction).workflows[0].description)

    def parse(self, text, record):
        try:
            return Accepted.of(self.output.model_validate_json(text))
        except ValueError as error:
            return Malformed(complaint=str(error))


def built(work):
    """A world of the workflow."""
    return Built(world=World(state={"of": work}, code="", tools=(Tool(name="get_loan", parameters={}),)))


def tasks(count):
    one = Task(title="t", system="s", persona="p", wishes=(Wish(text="w", reveal="first"),), tables=("loans",),
               variants=(Variant(name="calm", reference=()),))  # fmt: skip
    return Tasks(tasks=(one,) * count)


class Play:
    """A user who asks once, an assistant who answers once; some attempts miss the goal."""

    missing = frozenset()

    def __init__(self, work, record):
        self.work, self.record, self.role = work, record, "user"
        self.outcome, self.cost = None, Cost()
        self.request = self.ask()

    def ask(self):
        take, asked = self.work.chain.take, self.work.chain
        asking = asked.asking_user if self.role == "user" else asked.asking("simulate")
        text = f"{self.record.segment.segment_id} {take}"
        return ChatRequest(model=asking.model, messages=(ChatMessage(role="system", content=asking.prompt.text),
                                                         ChatMessage(role="user", content=text)))  # fmt: skip

    def answered(self, completion):
        self.cost = self.cost.plus(completion)
        if self.role == "user":
            self.role = "assistant"
            self.request = self.ask()
            return
        take, made = self.work.chain.take, make_trajectory()
        world = self.record.needed("world", Built).world_id
        done = Execution(world=world, task=take.task, variant="calm", seed=1, steps=(), reached=True)
        played = Played(tools=made.tools, messages=made.messages, execution=done)
        self.request = None
        kind, reason = ("rejected", "goal_missed") if take.attempt in self.missing else ("accepted", None)
        self.outcome = Outcome(segment_id=self.record.segment.segment_id, kind=kind, reason=reason,
                               payload=played.model_dump_json(), measures=played.measures, cost=self.cost)  # fmt: skip

    def failed(self, error):
        raise error


@contextmanager
def begin(work, record):
    yield Play(work, record)


class Answers:
    """What the endpoint says by the prompt's first words; counts the requests."""

    def __init__(self):
        self.asked = []
        self.tasks = [2, 1]
        """Number of tasks, world after world."""

    def __call__(self, body):
        system = json.loads(body)["messages"][0]["content"]
        name = next((each for each in reversed(PROMPTS) if system.startswith(f"You are the {each}")), None)
        for each in ("filter", "extract", "validate"):
            name = each if system == shipped()[each].text else name
        self.asked.append(name)
        said = {
            "filter": TOPIC,
            "extract": f"{WORKFLOW}\n{WORKFLOW.replace('Renewing a loan', 'Renewing another')}",
            "validate": json.dumps({"rules": RULINGS, "findings": []}),
            "simulate": "Done.",
            "simulate.user": "Please.",
        }
        if name == "world":
            said["world"] = built(self.asked.count("world")).model_dump_json()
        if name == "task":
            said["task"] = tasks(self.tasks[(self.asked.count("task") - 1) % len(self.tasks)]).model_dump_json()
        return web.json_response(answer(said[name]))


def install(monkeypatch, **texts):
    """Puts the stand-ins in place; `texts` are other texts of prompts."""
    own = {name: Prompt(name=name, text=texts.get(name, prompt.text)) for name, prompt in PROMPTS.items()}
    standing = (JsonStage("world", Built, "extract"), JsonStage("task", Tasks, "extract", "world"),
                JsonStage("simulate", Played, "extract", "world", "task"))  # fmt: skip
    monkeypatch.setattr(stages, "WORLD_STAGES", (*standing, stages.WORLD_STAGES[-1]))
    monkeypatch.setattr(workspaces, "load_prompts", lambda settings: shipped().changed(*own.values()))
    monkeypatch.setattr(playing, "beginning", begin)
    monkeypatch.setattr(proved, "PROOFS", {})
