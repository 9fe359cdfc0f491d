"""The fields of a row beside those of the framework."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class TaskData(BaseModel):
    model_config = ConfigDict(extra="allow")

    gem: dict[str, Any] = Field(
        description="The task in one variant: a row of the package's tasks.jsonl.",
        json_schema_extra={"consumed_by": ["verify"]},
    )
