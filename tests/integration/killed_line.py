"""Lives of a process that brings a shard through the line of the synthesizer, each killed right after a write.

Reads lines of `[settings, partition, number]`; for each, it writes a line when the life is over: the number of its
writes if it came to its end, as it does with number 0, otherwise the write after which it got SIGKILL. The modules are
loaded once, and every life is a forked process.
"""

import json
import os
import re
import signal
import sys
from contextlib import contextmanager

import psycopg

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.journal.journal import Journal
from gem_tasks.pipeline.shard.synthesizer import synthesize_first
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from gem_tasks.store.local import LocalStore

_CHANGE = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) \w+")


class Writes:
    """Counts what is written, wherever that is, and ends the process after the write of the number."""

    def __init__(self, number):
        self.number, self.count = number, 0

    def done(self, what):
        self.count += 1
        if self.count == self.number:
            os.write(1, f"{what}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self):
        put, delete, append, discard = LocalStore.put, LocalStore.delete, Journal.append, Journal.discard
        execute, transaction = psycopg.Connection.execute, psycopg.Connection.transaction

        def stored(store, key, data):
            put(store, key, data)
            self.done(f"put {key.split('/')[0]}")

        def deleted(store, key):
            delete(store, key)
            self.done("delete")

        async def appended(journal, key, completion):
            await append(journal, key, completion)
            self.done("append")

        def discarded(journal):
            discard(journal)
            self.done("discard")

        def executed(connection, query, *values, **named):
            found = execute(connection, query, *values, **named)
            outside = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            if outside and (change := _CHANGE.search(str(query))):
                self.done(change[0])
            return found

        @contextmanager
        def committed(connection, *values, **named):
            with transaction(connection, *values, **named) as opened:
                yield opened
            self.done("commit")

        LocalStore.put, LocalStore.delete, Journal.append, Journal.discard = stored, deleted, appended, discarded
        psycopg.Connection.execute, psycopg.Connection.transaction = executed, committed


def live(settings, partition, number):
    writes = Writes(number)
    writes.watch()
    work = Workspace.open(Settings(**settings))
    synthesize_first(work, "extract", partition, 0, RunContext(run_id="killed"))
    os.write(1, f"{writes.count}\n".encode())


def main():
    for line in sys.stdin:
        if child := os.fork():
            os.waitpid(child, 0)
            continue
        try:
            live(*json.loads(line))
        except Exception as error:  # noqa: BLE001 - the test shows it
            os.write(1, f"{error!r}\n".encode())
        finally:
            os._exit(0)


if __name__ == "__main__":
    main()
