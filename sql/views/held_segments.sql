-- Which accepted texts does a quota hold? No stage after the filter asks for them: all queries about open work leave them
-- out. `recipe_id` is the recipe of the filter that accepted them.
CREATE VIEW held_segments AS
SELECT partition_key, segment_id, recipe_id, held_by, decided_at FROM quota_texts WHERE held_by IS NOT NULL;
