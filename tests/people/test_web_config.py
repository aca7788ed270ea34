"""web.config.file: what is good, what is bad, how it is read again, and what TLS it makes."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import bcrypt
import pytest
from multidict import CIMultiDict

from remediator.clock import SystemClock
from remediator.errors import Permanent
from remediator.people.roster import People
from remediator.people.web_config import WebConfig
from remediator.settings.load import Settings
from tests.support.alerts import alert, message
from tests.support.people import basic
from tests.support.web import INTAKE, TOKEN, Web, bearer, running_web, token_file

TLS = Path(__file__).parent / "tls"
"""Certificates of one authority, and one that a stranger forged; made with openssl, good for a century."""
HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
SERVER = f"cert_file: {TLS}/server.pem, key_file: {TLS}/server.key"
GCM = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
CLIENTS = f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: {TLS}/authority.pem"
GO = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
"""Of `fakepassword`, as exporter-toolkit's own source has it."""

IF_GIVEN = CLIENTS.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
GOOD: dict[str, tuple[str, set[str]]] = {
    "empty": ("", set()),
    "nothing in it": ("{}", set()),
    "a section without users": ("basic_auth_users:", set()),
    "one": (f"basic_auth_users: {{kim: '{HASH}'}}", {"kim"}),
    "of htpasswd": (f"basic_auth_users:\n  kim: {GO}\n", {"kim"}),
    "two": (f"basic_auth_users: {{kim: '{HASH}', 'sam@example.com': '{HASH}'}}", {"kim", "sam@example.com"}),
}

BAD: dict[str, tuple[str, str]] = {
    "no YAML": ("basic_auth_users: {", "not YAML"),
    "no mapping": ("- basic_auth_users", "a mapping"),
    "a word": ("basic_auth_users", "a mapping"),
    "a slip": (f"basic_auth_user: {{kim: '{HASH}'}}", "no section 'basic_auth_user'"),
    "a list of users": ("basic_auth_users: [kim]", "maps user names"),
    "a plain password": ("basic_auth_users: {kim: secret}", "no bcrypt hash"),
    "no password": ("basic_auth_users: {kim: }", "no bcrypt hash"),
    "a number": ("basic_auth_users: {kim: 12345678}", "no bcrypt hash"),
    "another hash": ("basic_auth_users: {kim: '$6$salt$abcdefgh'}", "no bcrypt hash"),
    "a cut hash": (f"basic_auth_users: {{kim: '{HASH[:-1]}'}}", "no bcrypt hash"),
    "a longer hash": (f"basic_auth_users: {{kim: '{HASH}x'}}", "no bcrypt hash"),
    "too cheap": (f"basic_auth_users: {{kim: '{HASH.replace('$04$', '$03$')}'}}", "cost"),
    "a hash that takes hours": (f"basic_auth_users: {{kim: '{HASH.replace('$04$', '$31$')}'}}", "cost"),
    "no name": (f"basic_auth_users: {{'': '{HASH}'}}", "no user name"),
    "a name with a colon": (f"basic_auth_users: {{'a:b': '{HASH}'}}", "no user name"),
    "a name that is a number": (f"basic_auth_users: {{7: '{HASH}'}}", "no user name"),
    "bytes": ("\udcff", "not YAML"),
}

GOOD_TLS = {
    "a certificate": SERVER,
    "paths beside the file": "cert_file: server.pem, key_file: server.key",
    "no client certificates": f"{SERVER}, client_auth_type: NoClientCert",
    "client certificates": f"{SERVER}, {CLIENTS}",
    "client certificates, by the older name": f"{SERVER}, {CLIENTS.replace('client_auth_type', 'client_auth')}",
    "client certificates, if any": f"{SERVER}, {IF_GIVEN}",
    "named clients": f"{SERVER}, {CLIENTS}, client_allowed_sans: [alertmanager.monitoring]",
    "the newest version alone": f"{SERVER}, min_version: TLS13",
    "a version between": f"{SERVER}, min_version: TLS12, max_version: TLS12",
    "ciphers by Go's names": f"{SERVER}, cipher_suites: [{GCM}, TLS_AES_128_GCM_SHA256]",
    "the client's order": f"{SERVER}, prefer_server_cipher_suites: false",
}
BAD_TLS = {
    "no key": (f"cert_file: {TLS}/server.pem", "key_file: Field required"),
    "no certificate": (f"key_file: {TLS}/server.key", "cert_file: Field required"),
    "nothing": ("", "cert_file: Field required"),
    "a file that is not there": ("cert_file: gone.pem, key_file: gone.key", "cannot be used"),
    "another one's key": (f"cert_file: {TLS}/server.pem, key_file: {TLS}/another.key", "cannot be used"),
    "a key with a passphrase": (f"cert_file: {TLS}/server.pem, key_file: {TLS}/locked.key", "cannot be used"),
    "a key for a certificate": (f"cert_file: {TLS}/server.key, key_file: {TLS}/server.key", "cannot be used"),
    "clients without an authority": (
        f"{SERVER}, client_auth_type: RequireAndVerifyClientCert",
        "needs client_ca_file",
    ),
    "an authority for nobody": (
        f"{SERVER}, client_ca_file: {TLS}/authority.pem",
        "mean nothing with NoClientCert",
    ),
    "names for nobody": (f"{SERVER}, client_allowed_sans: [a]", "mean nothing with NoClientCert"),
    "an authority that is none": (
        f"{SERVER}, {CLIENTS.replace('authority.pem', 'server.key')}",
        "cannot be used",
    ),
    "certificates nobody verifies": (f"{SERVER}, client_auth_type: RequireAnyClientCert", "nobody verifies"),
    "certificates nobody looks at": (f"{SERVER}, client_auth_type: RequestClientCert", "nobody verifies"),
    "another word for clients": (
        f"{SERVER}, client_auth_type: Sometimes",
        "client_auth_type: Input should be",
    ),
    "a broken version": (f"{SERVER}, min_version: TLS10", "TLS10 is broken"),
    "another broken version": (f"{SERVER}, max_version: TLS11", "TLS11 is broken"),
    "no version": (f"{SERVER}, min_version: SSL3", "min_version: Input should be"),
    "versions the wrong way round": (
        f"{SERVER}, min_version: TLS13, max_version: TLS12",
        "above max_version",
    ),
    "a weak cipher": (f"{SERVER}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]", "unknown or not safe"),
    "no cipher": (f"{SERVER}, cipher_suites: [AES]", "unknown or not safe"),
    "curves": (f"{SERVER}, curve_preferences: [CurveP256]", "curve_preferences: Extra inputs"),
    "a slip in TLS": (f"{SERVER}, cert: x", "cert: Extra inputs"),
    "yes in other words": (f"{SERVER}, prefer_server_cipher_suites: 1", "prefer_server_cipher_suites"),
}
for _name, _text in GOOD_TLS.items():
    GOOD[_name] = (f"tls_server_config: {{{_text}}}", set())
for _name, (_text, _sentence) in BAD_TLS.items():
    BAD[_name] = (f"tls_server_config: {{{_text}}}", _sentence)
GOOD |= {
    "HTTP": ("http_server_config: {http2: false}", set()),
    "headers": ("http_server_config: {headers: {Strict-Transport-Security: max-age=63072000}}", set()),
    "a limit": ("rate_limit: {interval: 1s, burst: 20}", set()),
    "no limit": ("rate_limit: {interval: 0s}", set()),
    "empty sections": ("http_server_config:\nrate_limit:\ntls_server_config:", set()),
}
BAD |= {
    "a header of anything": ("http_server_config: {headers: {Set-Cookie: a}}", "cannot be set here"),
    "a header in two lines": (
        'http_server_config: {headers: {X-Frame-Options: "a\\r\\nb: c"}}',
        "is no header's",
    ),
    "a slip in HTTP": ("http_server_config: {http3: true}", "http3: Extra inputs"),
    "a limit without a unit": ("rate_limit: {interval: 1}", "add a unit"),
    "no room at all": ("rate_limit: {interval: 1s, burst: 0}", "burst"),
    "a slip in a limit": ("rate_limit: {intervall: 1s}", "intervall: Extra inputs"),
    "a list of TLS": ("tls_server_config: [a]", "tls_server_config"),
}


def replaced(path: Path, text: str) -> Path:
    """As a ConfigMap or Secret is updated: another file under the same name."""
    other = path.with_suffix(".new")
    other.write_text(text, errors="surrogateescape")
    other.replace(path)
    return path


def beside_the_certificates(tmp_path: Path, text: str) -> Path:
    for name in ("server.pem", "server.key"):
        (tmp_path / name).write_bytes((TLS / name).read_bytes())
    return replaced(tmp_path / "web.yml", text)


@pytest.mark.parametrize(("text", "users"), GOOD.values(), ids=GOOD)
def test_a_good_file_is_taken_and_names_its_users(tmp_path: Path, text: str, users: set[str]) -> None:
    read = WebConfig(beside_the_certificates(tmp_path, text)).read()
    assert set(read.users) == users
    assert (read.context is not None) == ("cert_file" in text)


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_mistake_and_without_its_secrets(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(Permanent) as refused:
        WebConfig(replaced(tmp_path / "web.yml", text))
    assert sentence in refused.value.sentence
    assert "$2" not in refused.value.sentence
    assert "12345678" not in refused.value.sentence


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD)
def test_while_a_changed_file_is_bad_the_one_before_stays_in_force_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, sentence: str
) -> None:
    path = replaced(tmp_path / "web.yml", f"basic_auth_users: {{kim: '{HASH}'}}")
    config, told = WebConfig(path), list[bool]()
    config.on_reload = told.append
    replaced(path, text)
    for _ in range(3):
        assert set(config.read().users) == {"kim"}
    assert [each.levelname for each in caplog.records] == ["ERROR"]
    assert "stays in force" in caplog.text
    assert "$2" not in caplog.text
    assert told == [False]
    path.unlink()
    assert set(config.read().users) == {"kim"}
    replaced(path, f"basic_auth_users: {{sam: '{HASH}'}}")
    assert set(config.read().users) == {"sam"}
    assert told == [False, False, True]


def test_there_are_enough_of_them() -> None:
    assert len(GOOD) + len(BAD) >= 40


async def test_whoever_was_let_in_stays_in_while_the_file_is_bad_and_not_once_it_is_good(
    tmp_path: Path,
) -> None:
    path = replaced(tmp_path / "web.yml", f"basic_auth_users: {{kim: '{HASH}'}}")
    listed = [{"name": "kim", "roles": ["operate"]}]
    found = People(Settings.model_validate({"people": listed, "web_config_file": path}), SystemClock())
    headers = CIMultiDict(basic("kim", "secret"))
    replaced(path, "basic_auth_users: [")
    kim = await found.recognise(headers, "operate")
    assert kim is not None
    assert await found.holds(kim, "operate")
    replaced(path, "basic_auth_users: {}")
    assert await found.recognise(headers, "operate") is None
    assert not await found.holds(kim, "operate")


def client(*shown: str, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """A client that believes the authority, and shows a certificate if one is named."""
    context = ssl.create_default_context(cafile=str(TLS / "authority.pem"))
    context.maximum_version = version
    for name in shown:
        context.load_cert_chain(TLS / f"{name}.pem", TLS / f"{name}.key")
    return context


async def post(web: Web, tls: ssl.SSLContext, token: str | None = TOKEN) -> int:
    """One alert, by a connection of its own. Raises aiohttp.ClientError when none comes about."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(web.url + INTAKE, json=message(alert()), headers=bearer(token), ssl=tls) as answer,
    ):
        return answer.status


def settings(tmp_path: Path, tls: str, more: str = "", **intake: object) -> dict[str, object]:
    path = replaced(tmp_path / "web.yml", f"tls_server_config: {{{tls}}}\n{more}")
    own = intake or {"token_file": token_file(tmp_path, "alertmanager", TOKEN)}
    return {"web_config_file": path, "intake": own}


async def test_everything_is_answered_by_tls_and_a_renewed_certificate_is_shown_to_the_next_who_comes(
    database_url: str, tmp_path: Path
) -> None:
    for name in ("pem", "key"):
        (tmp_path / f"own.{name}").write_bytes((TLS / f"server.{name}").read_bytes())
    own = settings(tmp_path, "cert_file: own.pem, key_file: own.key")
    async with running_web(database_url, own) as web:
        assert web.url.startswith("https://")
        assert await post(web, client()) == 200
        seen = [await serial(web)]
        for name in ("pem", "key"):
            replaced(tmp_path / f"own.{name}", (TLS / f"renewed.{name}").read_text())
        seen.append(await serial(web))
        (tmp_path / "own.pem").write_text("gone")
        seen.append(await serial(web))
        assert web.metric("web_config_last_reload_successful") == 0
        assert seen[0] != seen[1] == seen[2]


async def serial(web: Web) -> str:
    """Of the certificate that is shown."""
    parts = urlsplit(web.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=client())
    found = str(writer.get_extra_info("peercert")["serialNumber"])
    writer.transport.abort()
    return found


@pytest.mark.parametrize(
    ("shown", "sans", "status"),
    [
        (["alertmanager"], "", 200),
        (["another"], "", 200),
        (["forged"], "", None),
        ([], "", None),
        (["alertmanager"], ", client_allowed_sans: [alertmanager.monitoring]", 200),
        (["alertmanager"], ", client_allowed_sans: ['spiffe://cluster/alertmanager']", 200),
        (["another"], ", client_allowed_sans: [alertmanager.monitoring]", 403),
    ],
)
async def test_clients_show_a_certificate_of_the_authority_with_a_name_that_is_allowed(
    database_url: str, tmp_path: Path, shown: Sequence[str], sans: str, status: int | None
) -> None:
    async with running_web(database_url, settings(tmp_path, f"{SERVER}, {CLIENTS}{sans}")) as web:
        if status is None:
            with pytest.raises(aiohttp.ClientError):
                await post(web, client(*shown))
        else:
            assert await post(web, client(*shown)) == status


@pytest.mark.parametrize(
    ("shown", "token", "status"),
    [
        (["alertmanager"], None, 200),
        (["alertmanager"], "wrong", 200),
        (["another"], None, 401),
        (["another"], TOKEN, 401),
        ([], None, 401),
    ],
)
async def test_a_certificate_with_the_right_name_is_a_credential_of_the_intake(
    database_url: str, tmp_path: Path, shown: Sequence[str], token: str | None, status: int
) -> None:
    own = settings(tmp_path, f"{SERVER}, {IF_GIVEN}", client_sans=["alertmanager.monitoring"])
    async with running_web(database_url, own) as web:
        assert await post(web, client(*shown), token) == status


async def test_a_certificate_that_nobody_verifies_is_no_credential(database_url: str, tmp_path: Path) -> None:
    own = settings(tmp_path, SERVER, client_sans=["alertmanager.monitoring"])
    with pytest.raises(Permanent, match="nobody verifies"):
        async with running_web(database_url, own):
            pass


async def test_an_old_version_of_tls_is_refused(database_url: str, tmp_path: Path) -> None:
    async with running_web(database_url, settings(tmp_path, f"{SERVER}, min_version: TLS13")) as web:
        with pytest.raises(aiohttp.ClientError):
            await post(web, client(version=ssl.TLSVersion.TLSv1_2))
        assert await post(web, client()) == 200


async def test_a_limit_holds_for_people_and_never_for_alertmanager_or_probes(
    database_url: str, tmp_path: Path
) -> None:
    own = settings(tmp_path, SERVER, "rate_limit: {interval: 1h, burst: 2}")
    async with running_web(database_url, own) as web:
        for _ in range(5):
            assert await post(web, client()) == 200
        for path in ("/-/healthy", "/-/ready", "/metrics"):
            for _ in range(4):
                assert await get(web, path) == 200
        assert [await get(web, "/api/v1/runs") for _ in range(4)] == [401, 401, 429, 429]
        assert await post(web, client()) == 200


async def test_headers_of_the_file_go_over_our_own_on_every_answer(database_url: str, tmp_path: Path) -> None:
    headers = (
        "http_server_config: {headers: {X-Frame-Options: SAMEORIGIN, Strict-Transport-Security: max-age=9}}"
    )
    async with running_web(database_url, settings(tmp_path, SERVER, headers)) as web:
        for path, status in (("/-/healthy", 200), ("/api/v1/runs", 401), ("/nowhere", 404)):
            async with aiohttp.ClientSession() as http, http.get(web.url + path, ssl=client()) as answer:
                assert answer.status == status
                assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
                assert answer.headers["Strict-Transport-Security"] == "max-age=9"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def get(web: Web, path: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(web.url + path, ssl=client()) as answer:
        return answer.status
