"""A prompt that is not the shipped one."""

from gem_tasks.prompts import Prompt, shipped

OTHER = Prompt(name="refine", text=shipped()["refine"].text + "\nBe terse.\n")
