"""One batch's way: validating, in_progress, finalizing, completed; or failed, expired, cancelled.

Every answer goes to a work file at once, so that a restarted teacher goes on where it stopped. The output file holds
answers, the error file what was refused and what was never asked.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from offline_teacher.server import protocol
from offline_teacher.server.batch_input import Line, faults_of, lines
from offline_teacher.server.faults import Faults
from offline_teacher.server.files import Files
from offline_teacher.server.protocol import Refused
from offline_teacher.server.workers import Workers

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_SAVE_EVERY = 20
_EXPIRED = {"code": "batch_expired", "message": "The request was not executed before the completion window ended"}
_CANCELLED = {"code": "batch_cancelled", "message": "The batch was cancelled before the request was executed"}


class BatchRun:
    """Works a batch off in a task of its own, which starts at once.

    Args:
        batch: the batch object, changed in place.
        faults: options of `Faults`.
        work: answers so far.
        files: input and output.
        workers: make the answers.
        save: makes the batch object durable.
    """

    def __init__(
        self,
        batch: dict[str, Any],
        faults: Mapping[str, float],
        work: Path,
        files: Files,
        workers: Workers,
        save: Callable[[], None],
    ) -> None:
        self._batch, self._faults, self._work = batch, faults, work
        self._files, self._workers, self._save = files, workers, save
        self._cancelling = asyncio.Event()
        self._path = files.path(batch["input_file_id"])
        # By content, not by id: a seed gives the same fate in the next test.
        self._fate = Faults.of(faults, [("batch", sha256(self._path.read_bytes()).hexdigest())])
        if batch["status"] == "cancelling":
            self._cancelling.set()
        self._task = asyncio.create_task(self._go())

    def stop(self) -> None:
        """Lets go; the next start takes it up."""
        self._task.cancel()

    def cancel(self) -> dict[str, Any]:
        """Ends it as soon as the request under way is answered."""
        self._cancelling.set()
        self._becomes("cancelling")
        return self._batch

    async def _go(self) -> None:
        if self._batch["status"] == "validating":
            total, faults = faults_of(self._path)
            faults += self._made_up()
            self._batch["request_counts"]["total"] = total
            if faults:
                self._batch["errors"] = {"object": "list", "data": faults}
                self._becomes("failed")
                return
            self._becomes("in_progress")
        expires_after = self._batch["request_counts"]["total"] // 2 if self._fate.hits("rate_expired") else None
        await self._pause()
        how, unasked = await self._answer_all(expires_after)
        self._finish(how, unasked)

    def _made_up(self) -> list[dict[str, Any]]:
        """Errors of the whole batch that were asked for."""
        found: list[dict[str, Any]] = []
        if self._fate.hits("rate_invalid_file"):
            message = "The file was refused for the sake of a test"
            found.append({"code": "invalid_file", "message": message, "line": 1, "param": None})
        if self._fate.hits("rate_queue_full"):
            message = "Enqueued token limit reached. Please try again once some batches have been completed."
            found.append({"code": "token_limit_exceeded", "message": message, "line": None, "param": None})
        return found

    async def _pause(self) -> None:
        """The delay before anything is answered; a cancellation ends it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._fate.batch_delay_s()):
                await self._cancelling.wait()

    async def _answer_all(self, expires_after: int | None) -> tuple[str, list[str]]:
        """How it ends, and the requests that were not executed."""
        known = self._known()
        how, unasked = "completed", list[str]()
        with self._work.open("a", encoding="utf-8") as work:
            work.write("\n")  # a kill may have cut the last line off
            for number, line in enumerate(lines(self._path)):
                if self._cancelling.is_set():
                    how = "cancelled"
                elif number == expires_after:
                    how = "expired"
                if how != "completed":
                    unasked.extend([line.custom_id] if line.custom_id not in known else [])
                elif line.custom_id not in known:
                    work.write(json.dumps(await self._answer(line)) + "\n")
                    work.flush()
                    if number % _SAVE_EVERY == 0:
                        self._save()
        return how, unasked

    def _known(self) -> set[str]:
        """What was answered before a restart."""
        counts = self._batch["request_counts"]
        counts.update(completed=0, failed=0)
        found: set[str] = set()
        if self._work.exists():
            for text in self._work.read_bytes().split(b"\n"):
                with suppress(ValueError):
                    entry = json.loads(text)
                    found.add(entry["custom_id"])
                    counts["completed" if entry["response"]["status_code"] == 200 else "failed"] += 1
        return found

    async def _answer(self, line: Line) -> dict[str, Any]:
        """A line of the output or the error file."""
        try:
            messages, limit = protocol.question(line.body)
            fate = Faults.of(self._faults, messages)
            if fate.hits("rate_request_failed"):
                raise Refused(500, "The request failed for the sake of a test", "server_error")
            said = fate.after(await self._workers.answer(messages), limit)
            status, body = 200, protocol.completion(messages, said)
        except Refused as refused:
            status, body = refused.status, refused.body
        self._batch["request_counts"]["completed" if status == 200 else "failed"] += 1
        response = {"status_code": status, "request_id": uuid.uuid4().hex, "body": body}
        return _line(line.custom_id, response, None)

    def _finish(self, how: str, unasked: list[str]) -> None:
        """Writes both files. They stay until they are deleted."""
        if how != "cancelled":
            self._becomes("finalizing")
        reason = _CANCELLED if how == "cancelled" else _EXPIRED
        answers, errors = self._files.scratch(), self._files.scratch()
        with answers.open("wb") as good, errors.open("wb") as bad:
            for text in self._work.read_bytes().split(b"\n"):
                with suppress(ValueError):
                    fine = json.loads(text)["response"]["status_code"] == 200
                    (good if fine else bad).write(text + b"\n")
            for custom_id in unasked:
                bad.write(json.dumps(_line(custom_id, None, reason)).encode() + b"\n")
        for part, kind in ((answers, "output"), (errors, "error")):
            if part.stat().st_size:
                name = f"{self._batch['id']}_{kind}.jsonl"
                self._batch[f"{kind}_file_id"] = self._files.add(part, name, "batch_output")["id"]
            part.unlink(missing_ok=True)
        self._work.unlink()
        self._becomes(how)

    def _becomes(self, status: str) -> None:
        self._batch["status"] = status
        self._batch[f"{status}_at"] = int(time.time())
        self._save()


def _line(custom_id: str, response: dict[str, Any] | None, error: dict[str, Any] | None) -> dict[str, Any]:
    return {"id": f"batch_req_{uuid.uuid4().hex[:24]}", "custom_id": custom_id, "response": response, "error": error}
