-- Privileges around mining. Row security keeps from readers what they may not see in code_chunks.
GRANT SELECT ON pgduet.triplets, pgduet._triplet, pgduet._mining TO pgduet_reader;
GRANT INSERT, DELETE ON pgduet._triplet TO pgduet_admin, pgduet_worker;
GRANT INSERT ON pgduet._mining TO pgduet_admin, pgduet_worker;
GRANT EXECUTE ON FUNCTION pgduet._pair_cosines(bigint[], bigint[]), pgduet._neighbours(bigint[], integer)
  TO pgduet_reader;
