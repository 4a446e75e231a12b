"""Superset's settings for looking at pgduet on one machine; run.sh names the folder of its state in SUPERSET_HOME."""

import os
from pathlib import Path

_HOME = Path(os.environ["SUPERSET_HOME"])

SECRET_KEY = (_HOME / "secret.key").read_text().strip()
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_HOME / 'superset.db'}"
# The table of similar code takes its query from a filter; where_in quotes it.
FEATURE_FLAGS = {"ENABLE_TEMPLATE_PROCESSING": True}
ROW_LIMIT = 10_000
# One process that nobody but this machine reaches.
RATELIMIT_ENABLED = False

# Superset's own policy lets pages load a counting pixel and maps from elsewhere. This one names no other host.
_POLICY = {
    "base-uri": ["'self'"],
    "default-src": ["'self'"],
    "connect-src": ["'self'"],
    "font-src": ["'self'", "data:"],
    "img-src": ["'self'", "blob:", "data:"],
    "object-src": "'none'",
    "script-src": ["'self'", "'strict-dynamic'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "worker-src": ["'self'", "blob:"],
}
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": _POLICY,
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
