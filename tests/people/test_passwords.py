"""Passwords of web.config.file: whom they let in, what is remembered of them, and what they tell nobody."""

import asyncio
from base64 import b64encode
from pathlib import Path

import bcrypt
import pytest
from multidict import CIMultiDict

from remediator.clock import SystemClock
from remediator.errors import Permanent, Retryable
from remediator.people.passwords import Passwords
from remediator.people.roster import People
from remediator.people.web_config import WebConfig
from remediator.settings.load import Settings
from tests.support.people import basic

CHEAP = 4


def hashed(password: str, cost: int = CHEAP) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def written(path: Path, **users: str) -> Path:
    """A file with these users and passwords, newer than what was there."""
    lines = [f"  {name}: '{hashed(password)}'" for name, password in users.items()]
    return replaced(path, "\n".join(["basic_auth_users:", *lines]))


def replaced(path: Path, text: str) -> Path:
    """As a ConfigMap or Secret is updated: another file under the same name."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)
    return path


HASH = hashed("secret")


@pytest.mark.parametrize("stored", ["$2b$04$" + "9" * 53, "$2y$10$" + "." * 21 + "A" + "9" * 31])
def test_a_hash_that_bcrypt_itself_cannot_read_is_a_mistake_of_the_file(tmp_path: Path, stored: str) -> None:
    path = replaced(tmp_path / "web.yml", f"basic_auth_users: {{kim: '{HASH}', sam: '{stored}'}}")
    with pytest.raises(Permanent, match="what stands for sam is no bcrypt hash") as refused:
        WebConfig(path)
    assert "$2" not in refused.value.sentence


async def test_an_unknown_user_takes_the_time_of_the_most_expensive_hash(tmp_path: Path) -> None:
    users = f"{{a: '{hashed('secret')}', kim: '{hashed('secret', 11)}', z: '{hashed('secret')}'}}"
    passwords = Passwords(WebConfig(replaced(tmp_path / "web.yml", f"basic_auth_users: {users}")))
    loop = asyncio.get_running_loop()
    took: dict[str, float] = {}
    for name in ("kim", "nobody"):
        times = []
        for _ in range(3):
            began = loop.time()
            assert not await passwords.admits(name, b"wrong")
            times.append(loop.time() - began)
        took[name] = min(times)
    assert took["nobody"] > took["kim"] / 4


def people(tmp_path: Path, **roles: str) -> People:
    listed = [{"name": name, "roles": [role]} for name, role in roles.items()]
    return People(
        Settings.model_validate({"people": listed, "web_config_file": tmp_path / "web.yml"}), SystemClock()
    )


async def who(found: People, user: str, password: str) -> str | None:
    principal = await found.recognise(CIMultiDict(basic(user, password)), "view")
    return None if principal is None else principal.name


async def test_a_user_is_let_in_with_their_password_and_only_with_it(tmp_path: Path) -> None:
    written(tmp_path / "web.yml", kim="secret", sam="other")
    found = people(tmp_path, kim="approve")
    assert await who(found, "kim", "secret") == "kim"
    assert await who(found, "kim", "secret") == "kim", "the second time from memory"
    for user, password in (
        ("kim", "other"),
        ("kim", ""),
        ("kim", "secret\x00"),
        ("kim", "secret "),
        ("Kim", "secret"),
        ("", "secret"),
        ("nobody", "secret"),
        ("kim", "x" * 100),
    ):
        assert await who(found, user, password) is None, (user, password)


async def test_a_long_password_is_not_cut(tmp_path: Path) -> None:
    written(tmp_path / "web.yml", kim="x" * 72)
    found = people(tmp_path, kim="view")
    assert await who(found, "kim", "x" * 72) == "kim"
    assert await who(found, "kim", "x" * 73) is None


async def test_roles_are_those_under_people_and_without_an_entry_there_are_none(tmp_path: Path) -> None:
    written(tmp_path / "web.yml", kim="secret", sam="other")
    found = people(tmp_path, kim="approve")
    kim = await found.recognise(CIMultiDict(basic("kim", "secret")), "approve")
    sam = await found.recognise(CIMultiDict(basic("sam", "other")), "approve")
    assert kim is not None
    assert sam is not None
    assert [await found.holds(kim, role) for role in ("view", "approve", "operate")] == [False, True, False]
    assert not await found.holds(sam, "view")


async def test_a_changed_password_is_seen_at_once_also_by_who_was_remembered(tmp_path: Path) -> None:
    written(tmp_path / "web.yml", kim="secret")
    found = people(tmp_path, kim="approve")
    kim = await found.recognise(CIMultiDict(basic("kim", "secret")), "approve")
    assert kim is not None
    written(tmp_path / "web.yml", kim="changed")
    assert await who(found, "kim", "secret") is None
    assert await who(found, "kim", "changed") == "kim"
    written(tmp_path / "web.yml", sam="other")
    assert await who(found, "kim", "changed") is None
    assert not await found.holds(kim, "approve"), "whoever is gone has no role any more"


async def test_what_failed_once_is_not_remembered_as_right(tmp_path: Path) -> None:
    passwords = Passwords(WebConfig(written(tmp_path / "web.yml", kim="secret", sam="other")))
    for _ in range(2):
        assert not await passwords.admits("kim", b"other")
        assert not await passwords.admits("nobody", b"secret"), "the first user's password is not nobody's"
    assert await passwords.admits("sam", b"other")
    assert not await passwords.admits("kim", b"other")


async def test_the_event_loop_goes_on_while_a_password_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    replaced(path, f"basic_auth_users: {{kim: '{hashed('secret', 12)}'}}")
    passwords = Passwords(WebConfig(path))
    looking = asyncio.create_task(passwords.admits("kim", b"secret"))
    turns = 0
    while not looking.done():
        await asyncio.sleep(0)
        turns += 1
    assert await looking
    assert turns > 100


async def test_a_flood_of_passwords_is_turned_away(tmp_path: Path) -> None:
    passwords = Passwords(WebConfig(written(tmp_path / "web.yml", kim="secret")))
    tries = (passwords.admits("kim", f"wrong {number}".encode()) for number in range(40))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert any(isinstance(each, Retryable) for each in answers)
    assert True not in answers
    assert await passwords.admits("kim", b"secret")


async def test_an_answer_is_remembered_by_hash_name_and_password_together(tmp_path: Path) -> None:
    """Not by their text one after the other: CVE-2022-46146 let in whoever put another user's together."""
    path = tmp_path / "web.yml"
    poisoned = "kim" + HASH
    replaced(path, f"basic_auth_users: {{kim: '{HASH}', '{poisoned}': '{hashed('other')}'}}")
    passwords = Passwords(WebConfig(path))
    assert await passwords.admits("kim", b"secret")
    for name, password in (
        (poisoned, b"secret"),
        ("ki", b"msecret"),
        ("kims", b"ecret"),
        ("kim", b"secretkim"),
        ("", b"kimsecret"),
        ("nobody", b"secret"),
    ):
        assert not await passwords.admits(name, password), name
    assert await passwords.admits("kim", b"secret")
    replaced(path, f"basic_auth_users: {{kim: '{hashed('other')}'}}")
    assert not await passwords.admits("kim", b"secret"), "what was right for another hash is forgotten"


@pytest.mark.parametrize(
    "offered", ["", "x", "Basic", "Basic !", "Basic " + b64encode(b"kim").decode(), "Digest a"]
)
async def test_what_is_no_basic_authentication_is_nobodys(tmp_path: Path, offered: str) -> None:
    written(tmp_path / "web.yml", kim="secret")
    found = people(tmp_path, kim="view")
    assert await found.recognise(CIMultiDict({"Authorization": offered}), "view") is None


def test_somebody_without_any_way_to_show_who_they_are_is_a_mistake() -> None:
    settings = Settings.model_validate({"people": [{"name": "kim"}]})
    with pytest.raises(Permanent, match="kim has no token_file"):
        People(settings, SystemClock())
