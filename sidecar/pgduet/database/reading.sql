-- settle_in --
SELECT set_config('role', %(role)s, true), set_config('statement_timeout', %(timeout)s, true)
