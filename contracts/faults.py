"""Why a whole delivery is refused. A single row is never an exception: it goes to quarantine with its `Reason`."""

from contracts.words import Value, in_dutch, in_english


class FaultError(Exception):
    """A whole delivery cannot be taken in.

    Its text is English and says where, why and what to do; no value holds a credential or a query.

    Attributes:
        dutch: the same for whoever sent it.
    """

    def __init__(self, code: str, where: str = "", /, **values: Value) -> None:
        """Of a code of `contracts.words`, the file or address it is about, and what the words leave open."""
        self.dutch = in_dutch(code, values)
        said = in_english(code, values)
        super().__init__(f"{where}: {said}" if where else said)


class SchemaFaultError(FaultError):
    """The delivery is not the table it claims to be."""
