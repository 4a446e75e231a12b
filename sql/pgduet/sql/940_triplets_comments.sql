COMMENT ON VIEW pgduet.triplets IS 'What fine-tuning learns from, as the last `pgduet mine` found it: one row for each negative of a triplet';
COMMENT ON COLUMN pgduet.triplets.split IS 'train, dev or test; no repository (or file), and no near-copy, is on two sides';
COMMENT ON COLUMN pgduet.triplets.kind IS 'Why anchor and positive belong together: docstring (or comment) and its code, the same symbol in another repository, or cosine';
COMMENT ON COLUMN pgduet.triplets.negative_kind IS 'hard: near by the index; random: drawn, and under the threshold';
COMMENT ON COLUMN pgduet.triplets.positive_similarity IS 'Cosine of the stored vectors of anchor and positive, positive_code and positive_text that of each half; none for a docstring';
COMMENT ON COLUMN pgduet.triplets.negative_similarity IS 'Cosine of the stored vectors of the anchor''s chunk and the negative''s, negative_code and negative_text that of each half';
COMMENT ON FUNCTION pgduet._pair_cosines(bigint[], bigint[]) IS 'Cosines between stored chunks, pair by pair: of the whole vector and of each half';
COMMENT ON FUNCTION pgduet._neighbours(bigint[], integer) IS 'The k chunks nearest to each of some stored chunks';
