-- Chunks of the repository that wait for a vector, without those that were given up.
SELECT count(*) FROM pgduet.chunk_status s WHERE s.repo = :'repo' AND s.state = 'pending';
