"""Kept reports are found by name."""

from gem_tasks.errors import StoreError
from gem_tasks.live_apis.kept import keep, kept_report, kept_reports
from gem_tasks.live_apis.operation import Api, Operation
from gem_tasks.live_apis.run import ground
from gem_tasks.live_apis.sample import Sampled
from tests.factories import call, make_tool, make_trajectory, result, say

TEXT = {"type": "string"}
ORDER = Operation(name="create_order", parameters={"type": "object", "properties": {"item": TEXT}})
TALK = (say("user", "?"), call(1, "create_order", item="tea"), result(1), say("assistant", "."))


class Store:
    """Objects in memory; what is None cannot be read."""

    def __init__(self):
        self.objects, self.read = {}, []

    def put(self, key, data):
        self.objects[key] = data

    def list(self, prefix):
        if not self.objects:
            raise StoreError("the store is down")
        return iter(sorted(self.objects))

    def get(self, key):
        self.read.append(key)
        if self.objects[key] is None:
            raise StoreError(f"{key} cannot be read")
        return self.objects[key]


async def grounded(sha256="ab" * 32):
    row = Sampled("t", make_trajectory(*TALK, tools=(make_tool("create_order", item=TEXT),)), "s1", "file:///a.md")
    return await ground([row], Api(title="Shop", sha256=sha256, operations=(ORDER,)))


async def test_a_report_is_read_by_its_name_and_no_other_object_is():
    store = Store()
    for digit in "abc":
        keep(store, await grounded(digit * 64))
    assert kept_report(store, "b" * 16 + "-dry-run").report.sha256 == "b" * 64
    assert store.read == [f"api-reports/{'b' * 16}-dry-run.json"]
    for wrong in ("../secret", "b" * 16, "b" * 16 + "-dry-run\n", "d" * 16 + "-sandbox"):
        assert kept_report(store, wrong) is None


async def test_reports_that_cannot_be_read_are_a_line_and_the_others_stay():
    store = Store()
    keep(store, await grounded())
    assert [len(part) for part in kept_reports(store)] == [1, 0]
    store.put("api-reports/0.json", None)
    store.put("api-reports/1.json", b"\xff{")
    found, line = kept_reports(store)
    assert [each.id for each in found] == ["ab" * 8 + "-dry-run"]
    assert line == "Reports that cannot be read: 2. The first: api-reports/0.json: api-reports/0.json cannot be read"
    assert kept_reports(Store()) == ([], "Reports that cannot be read: 1. The first: the store is down")
