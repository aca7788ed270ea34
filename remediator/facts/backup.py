"""Facts of the newest verified backup, as whoever makes backups tells them in a ConfigMap.

Its data: `id`, `location` (s3://bucket/path), `sha256`, `made_at` and `verified_at` in RFC 3339. Verified means that
it was restored somewhere and looked at; only they can know.
"""

import re
from datetime import datetime, timedelta

from remediator.domain.run_view import RunView
from remediator.errors import Permanent
from remediator.kit import Kit
from remediator.settings.databases import ApplicationDatabase

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORMATS = {".dump": "archive", ".sql": "sql"}


async def identity(run: RunView, kit: Kit) -> str:
    return (await _told(run, kit))["id"]


async def location(run: RunView, kit: Kit) -> str:
    told = (await _told(run, kit))["location"]
    if not told.startswith("s3://") or told.count("/") < 3 or told.endswith("/"):
        raise Permanent(f"{told or 'nothing'} is no s3://bucket/path, which is what can be fetched here")
    return told


async def file(run: RunView, kit: Kit) -> str:
    return (await location(run, kit)).rpartition("/")[2]


async def directory(run: RunView, kit: Kit) -> str:
    """With the slash at its end."""
    return (await location(run, kit)).rpartition("/")[0] + "/"


async def format_of(run: RunView, kit: Kit) -> str:
    """`archive` for what pg_restore reads, `sql` for what psql reads."""
    told = await file(run, kit)
    for suffix, is_format in _FORMATS.items():
        if told.endswith(suffix):
            return is_format
    raise Permanent(f"{told} ends neither with .dump nor with .sql")


async def checksum(run: RunView, kit: Kit) -> str:
    told = (await _told(run, kit)).get("sha256", "")
    if not _SHA256.fullmatch(told):
        raise Permanent("its sha256 is not 64 hexadecimal digits")
    return told


async def made_at(run: RunView, kit: Kit) -> str:
    return _moment((await _told(run, kit)), "made_at").isoformat(timespec="seconds")


async def age_hours(run: RunView, kit: Kit) -> str:
    return f"{_age(await _told(run, kit), kit) / timedelta(hours=1):.1f}"


async def newest(database: ApplicationDatabase, kit: Kit) -> tuple[str, timedelta]:
    """What identifies the newest verified backup of a database, and how old that is.

    Raises Retryable or Permanent with why it cannot be told.
    """
    told = await _told_of(database, kit)
    return told["id"], _age(told, kit)


def _age(told: dict[str, str], kit: Kit) -> timedelta:
    age = kit.clock.now() - _moment(told, "made_at")
    if age < timedelta(0):
        raise Permanent("it says that it was made in the future")
    return age


async def _told(run: RunView, kit: Kit) -> dict[str, str]:
    return await _told_of(kit.databases.chosen(None, run.target), kit)


async def _told_of(database: ApplicationDatabase, kit: Kit) -> dict[str, str]:
    if database.backups is None:
        raise Permanent(f"remediator.yml says no backups for database {database.name}")
    namespace, _, name = database.backups.partition("/")
    config_map = await kit.kube.get("configmap", namespace, name)
    if config_map is None:
        raise Permanent(f"there is no ConfigMap {database.backups}, which tells of backups")
    told = {key: str(value) for key, value in (config_map.get("data") or {}).items()}
    _moment(told, "verified_at")
    if not told.get("id"):
        raise Permanent(f"ConfigMap {database.backups} has no id")
    return {"location": "", **told}


def _moment(told: dict[str, str], key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(told.get(key, ""))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        said = f"{key} is {told[key]!r}" if key in told else f"it has no {key}"
        raise Permanent(f"no backup is known to be verified: {said}")
    return moment
