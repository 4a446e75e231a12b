-- Asks for a run on the triplets that were just mined, unless one is open. It is promoted where it is better and the
-- setting finetune_promote, or a person, says so.
SELECT 'asked for run ' || pgduet.finetune(steps => :steps, mine => false)
WHERE NOT EXISTS (SELECT FROM pgduet.finetune_history h WHERE h.state IN ('requested', 'running'));
