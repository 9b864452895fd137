"""Boston (US): tickets only, to try a real city's complete half year."""

from contracts.cities.profile import City

CITY = City(
    name="boston",
    title_nl="Boston",
    area_id="2507000",
    time_zone="America/New_York",
    country="US",
    subdivision="MA",
    sources=("tickets_1777",),
)
