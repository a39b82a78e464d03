"""Time zones by their names in the IANA database."""

import difflib
import re
import zoneinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from dags_app.domain.timing.errors import BadSchedule, quoted


@lru_cache(maxsize=1024)
def check_timezone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises BadSchedule, naming zones that are spelled alike."""
    if name in _zone_names():  # without it, paths and zones with leap seconds would be taken too
        return ZoneInfo(name)
    if alike := _zones_like_offset(name) or _zones_spelled_like(name):
        way_out = f"did you mean {' or '.join(alike)}?"
    else:
        way_out = "use a name of the IANA database, such as Europe/Berlin or UTC."
    raise BadSchedule.because(
        "", "timezone_unknown", f"there is no time zone {quoted(name)}; {way_out}"
    )


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    # `localtime` is another zone on each machine, and `Factory` says that none was set.
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def _zones_like_offset(name: str) -> list[str]:
    """`UTC+2` is `Etc/GMT-2`: POSIX counts from the zone to Greenwich, and people the other way."""
    offset = re.fullmatch(r"(?:UTC|GMT)([+-])0?([0-9]{1,2})(?::?00)?", name)
    zone = offset and f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
    return [zone] if zone in _zone_names() else []


def _zones_spelled_like(name: str) -> list[str]:
    if len(name) > 64:
        return []
    spelled = {zone.rpartition("/")[2].lower(): zone for zone in sorted(_zone_names())}
    spelled |= {zone.lower(): zone for zone in _zone_names()}
    wanted = name.lower().replace(" ", "_")
    if wanted in spelled:
        return [spelled[wanted]]
    close = difflib.get_close_matches(wanted, spelled, n=3, cutoff=0.75)
    return list(dict.fromkeys(spelled[each] for each in close))
