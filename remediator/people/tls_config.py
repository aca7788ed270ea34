"""`tls_server_config` and the other server sections of web.config.file, as exporter-toolkit has them.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. What OpenSSL, as Python offers it,
cannot do as it says is refused by name, never done otherwise.
"""

import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from remediator.domain.duration import Duration
from remediator.errors import Permanent
from remediator.settings.sections import Section

_VERIFYING = ("VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_OF_TLS13 = frozenset({"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"})
"""Go takes these names and always offers them; so does OpenSSL."""
_CIPHERS: Mapping[str, str] = {
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""Go's names of what is safe in TLS 1.2, and OpenSSL's."""
_HEADERS = frozenset(
    {
        "Content-Security-Policy",
        "X-Frame-Options",
        "X-Content-Type-Options",
        "X-XSS-Protection",
        "Strict-Transport-Security",
    }
)


class Tls(Section):
    """`tls_server_config`."""

    cert_file: Path
    key_file: Path
    client_auth_type: Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] = (
        "NoClientCert"
    )
    client_ca_file: Path | None = None
    client_allowed_sans: tuple[str, ...] = ()
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = Field(default=True, strict=True)

    @property
    def verifies_clients(self) -> bool:
        """Whether a certificate that a client shows is one of client_ca_file's."""
        return self.client_auth_type in _VERIFYING

    @model_validator(mode="before")
    @classmethod
    def _older_name(cls, given: object) -> object:
        if isinstance(given, dict) and "client_auth" in given and "client_auth_type" not in given:
            return {("client_auth_type" if key == "client_auth" else key): given[key] for key in given}
        return given

    @field_validator("client_auth_type", mode="before")
    @classmethod
    def _verified_or_not_asked_for(cls, value: object) -> object:
        if value in ("RequestClientCert", "RequireAnyClientCert"):
            raise ValueError(f"with {value} nobody verifies the certificate: use {' or '.join(_VERIFYING)}")
        return value

    @field_validator("min_version", "max_version", mode="before")
    @classmethod
    def _not_broken(cls, value: object) -> object:
        if value in ("TLS10", "TLS11"):
            raise ValueError(f"{value} is broken (RFC 8996): use TLS12 or TLS13")
        return value

    @field_validator("cipher_suites")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in _CIPHERS and name not in _OF_TLS13:
                raise ValueError(f"{name} is unknown or not safe; there are {', '.join(_CIPHERS)}")
        return names

    @model_validator(mode="after")
    def _fits_together(self) -> "Tls":
        if self.verifies_clients and self.client_ca_file is None:
            raise ValueError(f"{self.client_auth_type} needs client_ca_file")
        if not self.verifies_clients and (self.client_ca_file is not None or self.client_allowed_sans):
            raise ValueError(
                f"client_ca_file and client_allowed_sans mean nothing with {self.client_auth_type}"
            )
        if self.min_version > self.max_version:
            raise ValueError("min_version is above max_version")
        return self

    def files(self) -> list[Path]:
        """All that it names, so that a renewed certificate is seen."""
        return [each for each in (self.cert_file, self.key_file, self.client_ca_file) if each is not None]

    def beside(self, directory: Path) -> "Tls":
        """The same, with relative paths taken from the directory of the file they stand in."""
        names = ("cert_file", "key_file", "client_ca_file")
        given = {name: path for name in names if (path := getattr(self, name)) is not None}
        return self.model_copy(update={name: directory / path for name, path in given.items()})

    def context(self) -> ssl.SSLContext:
        """For servers. Raises Permanent when a file of it cannot be used."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version, made.maximum_version = _VERSIONS[self.min_version], _VERSIONS[self.max_version]
        named = [_CIPHERS[each] for each in self.cipher_suites if each in _CIPHERS]
        if named:
            made.set_ciphers(":".join(named))
        if self.prefer_server_cipher_suites:
            made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        try:
            made.load_cert_chain(self.cert_file, self.key_file, password=_no_password)
            if self.client_ca_file is not None:
                made.load_verify_locations(self.client_ca_file)
                required = self.client_auth_type == "RequireAndVerifyClientCert"
                made.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        except (OSError, ValueError) as reason:
            said = getattr(reason, "reason", None) or getattr(reason, "strerror", None) or str(reason)
            raise Permanent(f"tls_server_config: its certificates cannot be used: {said}") from reason
        return made


def _no_password() -> str:
    """OpenSSL would ask whoever sits at the terminal."""
    raise ValueError("key_file has a passphrase")


class Http(Section):
    """`http_server_config`."""

    http2: bool = Field(default=True, strict=True)
    """Taken and without effect: only HTTP/1.1 is spoken."""
    headers: dict[str, str] = Field(default_factory=dict)

    @field_validator("headers")
    @classmethod
    def _only_these(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if name not in _HEADERS:
                raise ValueError(
                    f"header {name!r} cannot be set here; these can: {', '.join(sorted(_HEADERS))}"
                )
            if not value.isprintable() or not value.isascii():
                raise ValueError(f"the value of header {name!r} is no header's")
        return headers


class RateLimit(Section):
    """`rate_limit`: so many requests at once, and one more each interval. Never of the intake or of probes."""

    interval: Duration = Field(default=timedelta(0), ge=timedelta(0))
    """0 means no limit."""
    burst: int = Field(default=1, strict=True, ge=1)
