-- lock_keepalives --
-- A machine that is gone says nothing: Postgres finds out by asking, every few seconds.
SELECT set_config('tcp_keepalives_idle', '20', false), set_config('tcp_keepalives_interval', '10', false),
       set_config('tcp_keepalives_count', '4', false)

-- try_lock --
-- Takes a lock by name if it is free; until the connection ends or `unlock`.
SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0)) AS got

-- wait_for_lock --
-- Takes a lock by name when it becomes free.
SELECT pg_advisory_lock(hashtextextended(%(name)s, 0))

-- unlock --
-- Gives a lock back.
SELECT pg_advisory_unlock(hashtextextended(%(name)s, 0))

-- lock_shared --
-- Takes a lock together with all others who share it.
SELECT pg_advisory_lock_shared(hashtextextended(%(name)s, 0))

-- unlock_shared --
-- Gives a shared lock back.
SELECT pg_advisory_unlock_shared(hashtextextended(%(name)s, 0))

-- still_connected --
-- Whether the connection is there, and with it what it locked.
SELECT 1 AS here
