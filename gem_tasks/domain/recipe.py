"""Identifies a stage's output: the recipe id changes with everything that could change the output.

| counts                | why                                                            |
|-----------------------|----------------------------------------------------------------|
| stage name, version   | the code that builds the request and reads the answer          |
| prompt text (SHA-256) | the instructions                                               |
| model, sampling       | the model, and how it is asked                                 |
| parent recipe         | everything upstream, so a change invalidates later stages      |

| left out              | why                                                            |
|-----------------------|----------------------------------------------------------------|
| endpoint URL, API key | the same model gives similar answers at another address        |
| concurrency, timeouts | transport only                                                 |
| shard and partition   | placement only: a segment's result is reused anywhere          |

`RECIPE_VERSION` is hashed too: raise it when this table changes.
"""

import json
from hashlib import sha256

from pydantic import Field

from gem_tasks.domain.base import Json, Value

RECIPE_VERSION = 1


class Recipe(Value):
    """One link of the chain. `recipe_id` is sixteen hex characters."""

    stage: str
    version: int
    prompt_sha256: str | None = None
    """None for the root recipe, which segments without a model."""
    model: str | None = None
    params: Json = Field(default_factory=dict)
    """Sampling parameters, or the segmenter's sizes."""
    parent: str | None = None
    """`recipe_id` of the preceding stage."""

    @property
    def recipe_id(self) -> str:
        """Hash over all fields and the scheme's version."""
        identity = {"scheme": RECIPE_VERSION, **self.model_dump()}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(text.encode()).hexdigest()[:16]


class Recorded(Recipe):
    """A recipe as Postgres has it, which may be of an older scheme: it keeps its id."""

    known_as: str

    @property
    def recipe_id(self) -> str:
        """The recorded id."""
        return self.known_as
