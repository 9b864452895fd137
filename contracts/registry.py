"""Finds every contract and every city; adding a file is enough."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from contracts import cities, sources
from contracts.cities.profile import City
from contracts.vocabulary import SourceContract


@cache
def all_contracts() -> dict[str, SourceContract]:
    """Every source contract by name, in alphabetical order."""
    modules = (import_module(found.name) for found in iter_modules(sources.__path__, f"{sources.__name__}."))
    return {module.CONTRACT.name: module.CONTRACT for module in modules}


@cache
def all_cities() -> dict[str, City]:
    """Every city profile by name; a module without a CITY is not a profile."""
    modules = (import_module(found.name) for found in iter_modules(cities.__path__, f"{cities.__name__}."))
    profiles = (module.CITY for module in modules if hasattr(module, "CITY"))
    return {city.name: city for city in profiles}


def city_named(name: str) -> City:
    """The profile of that name.

    Raises:
        LookupError: no profile has that name; the message lists those that exist.
    """
    try:
        return all_cities()[name]
    except KeyError:
        raise LookupError(f"no city profile {name!r}; there are: {', '.join(all_cities())}") from None
