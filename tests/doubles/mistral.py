"""Mistral's files and batch jobs as its client's types describe them; the offline teacher behind them."""

import asyncio
import json

from aiohttp import web

from tests.doubles.serving import Provider

STATUSES = ("QUEUED", "RUNNING", "SUCCESS")
JOB = {"input_files", "requests", "endpoint", "model", "agent_id", "metadata", "timeout_hours"}
BODY = {"messages", "max_tokens", "temperature", "response_format", "stream", "random_seed", "reasoning_effort"}


def refused(status, message, type_="invalid_request_error"):
    """Its flat envelope."""
    flat = {"object": "error", "message": message, "type": type_, "param": None, "code": None}
    return web.json_response(flat, status=status)


class Mistral(Provider):
    """`ends`: the status in which jobs end; `silent`: requests of each job that are not answered."""

    def __init__(self, teacher_url, ends="SUCCESS", silent=0):
        super().__init__(teacher_url, None)
        self.ends, self.silent, self.files, self.jobs = ends, silent, {}, {}

    async def _forward(self, request):
        match request.method, request.path.removeprefix("/v1/").split("/"):
            case "POST", ["files"]:
                return await self._upload(request)
            case "GET", ["files", name, "content"] if name in self.files:
                return web.Response(body=self.files[name], content_type="application/octet-stream")
            case "DELETE", ["files", name] if name in self.files:
                del self.files[name]
                return web.json_response({"id": name, "object": "file", "deleted": True})
            case "POST", ["batch", "jobs"]:
                return await self._create(await request.json())
            case "GET", ["batch", "jobs"]:
                return web.json_response({"object": "list", "total": len(self.jobs), "data": [*self.jobs.values()]})
            case "GET", ["batch", "jobs", name] if name in self.jobs:
                return web.json_response(self._advanced(name))
        return refused(404, "Not found")

    async def _upload(self, request):
        form = await request.post()
        assert form["purpose"] == "batch"
        name = f"file{len(self.files)}"
        self.files[name] = form["file"].file.read()
        return web.json_response({"id": name, "object": "file", "purpose": "batch", "filename": "f", "bytes": 1})

    async def _create(self, job):
        if extra := sorted(job.keys() - JOB):
            detail = [{"type": "extra_forbidden", "loc": ["body", extra[0]], "msg": "Extra inputs are not permitted"}]
            return refused(422, {"detail": detail})
        if not job.get("model") or job["endpoint"] != "/v1/chat/completions":
            return refused(400, "model and endpoint are needed")
        (name,) = job["input_files"]
        lines = [json.loads(line) for line in self.files[name].splitlines()]
        results = await asyncio.gather(*(self._result(line) for line in lines[self.silent :]))
        self.silent = 0
        job_id = f"job{len(self.jobs)}"
        self.files[f"out{job_id}"] = "\n".join(map(json.dumps, results)).encode() + b"\n"
        self.jobs[job_id] = {
            "id": job_id, "object": "batch", "input_files": [name], "endpoint": job["endpoint"], "errors": [],
            "status": "QUEUED", "created_at": 0, "total_requests": len(lines), "completed_requests": 0,
            "succeeded_requests": 0, "failed_requests": 0, "metadata": job["metadata"], "model": job["model"],
            "output_file": None, "error_file": None,
        }  # fmt: skip
        return web.json_response(self.jobs[job_id])

    async def _result(self, line):
        assert line.keys() == {"custom_id", "body"}
        self.asked.append(line["body"])
        found = {"id": f"r{line['custom_id']}", "custom_id": line["custom_id"], "error": None}
        if extra := sorted(line["body"].keys() - BODY):
            body = {"object": "error", "message": f"{extra[0]}: Extra inputs are not permitted", "type": "invalid"}
            return found | {"response": {"status_code": 422, "body": body}}
        return found | {"response": {"status_code": 200, "body": await self.answer(line["body"])}}

    def _advanced(self, name):
        job = self.jobs[name]
        if job["status"] in STATUSES[:2]:
            job["status"] = STATUSES[STATUSES.index(job["status"]) + 1]
        if job["status"] == "SUCCESS":
            job["status"] = self.ends
            job["output_file"] = f"out{name}"
            job["completed_requests"] = job["succeeded_requests"] = len(self.files[f"out{name}"].splitlines())
        if self.ends == "FAILED":
            job["errors"] = [{"message": "the model cannot be used in batches", "count": 1}]
        return job
