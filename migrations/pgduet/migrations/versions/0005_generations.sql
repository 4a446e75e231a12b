-- What becomes of generations, and who switched between them. Functions and views live in sql/.

ALTER TABLE pgduet.generations DROP CONSTRAINT generations_state_check;
ALTER TABLE pgduet.generations
  ADD CONSTRAINT generations_state_check CHECK (state IN ('building', 'ready', 'active', 'retired', 'dropped')),
  ADD COLUMN retired_at timestamptz,
  ADD COLUMN dropped_at timestamptz;

-- Every switch. A promotion that a rollback took back is undone: the next rollback goes one further.
CREATE TABLE pgduet._promotion (
  promotion_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('promote', 'rollback')),
  from_generation integer,
  to_generation integer NOT NULL,
  promoted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  promoted_by text NOT NULL,
  -- Whether something stood against it and was overruled, and why.
  forced boolean NOT NULL DEFAULT false,
  reason text,
  undone_at timestamptz
);
