"""Why a whole delivery is refused. A single row is never an exception: it goes to quarantine."""


class SchemaFaultError(Exception):
    """The delivery is not the table it claims to be.

    The message says which source, where, why, and what to do.
    """
