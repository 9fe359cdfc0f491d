-- upsert_plan_judgement --
-- A judge's answer about a conversation, with what was planned.
INSERT INTO plan_judgements (trajectory_id, judge, model, prompt_sha256, menus_sha256, found, unreadable, prompt_tokens,
    completion_tokens, usd)
VALUES (%(trajectory_id)s, %(judge)s, %(model)s, %(prompt_sha256)s, %(menus_sha256)s, %(found)s, %(unreadable)s,
    %(prompt_tokens)s, %(completion_tokens)s, %(usd)s)
ON CONFLICT (trajectory_id, judge) DO UPDATE SET found = excluded.found, unreadable = excluded.unreadable,
    prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens, usd = excluded.usd,
    judged_at = now()

-- plan_judgements_of --
-- Answers of a judge about some conversations.
SELECT trajectory_id, found, unreadable, prompt_tokens, completion_tokens, usd FROM plan_judgements
WHERE judge = %(judge)s AND trajectory_id = ANY(%(trajectory_ids)s) ORDER BY trajectory_id
