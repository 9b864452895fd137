"""Permanent against transient: the only two things a caller must tell apart. What each says: `contracts.words`."""

from contracts.faults import FaultError


class SupplierError(FaultError):
    """A supplier's answer or file cannot be used."""


class TransientSupplierError(SupplierError):
    """It may work later: time-out, reset, HTTP 429 or 5xx after all tries."""


class PermanentSupplierError(SupplierError):
    """It will not work until someone acts: refused credentials, wrong address, HTML instead of data."""


class AccessRefusedError(PermanentSupplierError):
    """The supplier does not let these credentials ask this (HTTP 401, 403)."""


class NotOfferedError(PermanentSupplierError):
    """The supplier has no such address or format (HTTP 404, 406, 410, 415): another may be tried."""


class UnreadableFileError(PermanentSupplierError):
    """A dropped file is not what its source expects."""
