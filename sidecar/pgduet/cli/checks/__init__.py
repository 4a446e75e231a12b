"""The checks of `pgduet doctor`, one module for each part that can be ill."""

from pgduet.cli.checks.certificates import check_certificates
from pgduet.cli.checks.database import check_database
from pgduet.cli.checks.finding import Finding
from pgduet.cli.checks.machine import check_machine
from pgduet.cli.checks.sidecar import check_sidecar

__all__ = ["Finding", "check_certificates", "check_database", "check_machine", "check_sidecar"]
