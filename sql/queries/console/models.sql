-- console_models --
-- Trained models, whatever columns they have.
SELECT to_jsonb(m) AS found FROM models m ORDER BY m.created_at DESC LIMIT 200

-- console_promotions --
-- Who became champion, whatever columns there are.
SELECT to_jsonb(p) AS found FROM promotions p ORDER BY p.decided_at DESC LIMIT 100
