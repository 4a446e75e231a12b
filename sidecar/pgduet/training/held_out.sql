-- triplets --
SELECT t.anchor, t.positive, t.negative, t.anchor_chunk, t.positive_chunk, t.negative_chunk
FROM pgduet.triplets t WHERE t.split = 'test' ORDER BY t.triplet_id, t.negative_number
