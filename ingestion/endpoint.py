"""Where and as whom a supplier is asked: the settings of a source, each described where it is declared.

Belongs here: what every source that is asked has in common. A further setting is a field of a class of the source's
own; its variable is `ADEMRUIMTE_<SOURCE>_<FIELD>`. Does not belong here: where they are read.
"""

from pydantic import BaseModel, ConfigDict


class Endpoint(BaseModel):
    """The settings of one source; what stands below a field is what `.env.example` says of it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    url: str
    """The address; a source without one is not asked."""
