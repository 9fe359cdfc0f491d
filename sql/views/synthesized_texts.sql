-- Which texts does a trained synthesizer's trajectory spare the stages from `extract` on? All queries about open work
-- leave them out of `extract`. `recipe_id` is the recipe of `confirm` that accepted them. Texts that go both ways are not
-- among them. Queries about a partition name it: otherwise, Postgres may read the results of all.
CREATE VIEW synthesized_texts AS
SELECT segment_id, recipe_id, partition_key FROM stage_results
WHERE stage = 'confirm' AND outcome = 'accepted' AND measures ->> 'way' = 'synthesizer' AND NOT retry_asked;
