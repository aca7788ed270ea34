"""What secrets look like in a text: one expression a shape, in RE2, over UTF-8."""

from typing import Any

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 8 << 20


def _of(pattern: bytes) -> Any:
    return re2.compile(pattern, _OPTIONS)


_QUOTE = rb"""(?:\\*["'])?"""
_VALUE = rb"""(?:\\*"(?:[^"\\\n]|\\[^"\n])*\\*"|'[^'\n]*'|[^\s"',;&<>(){}\[\]\\]+)"""
_BREAK = rb"(?:\r?\n[ \t]*)?"

PEM = _of(
    rb"-----BEGIN [A-Z0-9 ]{1,40}-----(?:[^-]|-[^-])*(?:-----END [A-Z0-9 ]{1,40}-----)?"
    rb"|(?:[A-Za-z0-9+/=]{16,76}(?:\s|\\[nr])+)+-----END [A-Z0-9 ]{1,40}-----"
)
"""Whole, cut off at its end, or without its beginning, as the tail of a log may show it."""

HEADER = _of(
    rb"(?i)((?:proxy-)?authorization|set-cookie2?|cookie|x-api-key|x-auth-token|x-amz-security-token|x-vault-token)"
    rb"""((?:\\*["'])?\s{0,3}[:=]\s{0,3}\[?(?:\\*["'])?)([^"'\r\n\\\]]+)"""
)

SCHEME = _of(rb"(?i)\b(bearer|basic)(\s+)([A-Za-z0-9._~+/-]{8,}={0,2})")

URL = _of(
    rb"(?i)\b((?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|clickhouse)(?:\+[a-z0-9]+)?://"
    rb"""[^\s:"'/@]*:)[^\s"'<>]+@"""
    rb"""|\b([a-z][a-z0-9+.-]{0,30}://[^\s:"'/@<>]*:)[^\s"'<>/@]+@"""
    rb"""|\b(https?://)[^\s:"'/@<>]{16,}@"""
)

TOKEN = _of(
    rb"\beyJ[A-Za-z0-9_-]{8,}"
    + _BREAK
    + rb"[A-Za-z0-9_-]*\."
    + _BREAK
    + rb"[A-Za-z0-9_-]{4,}"
    + _BREAK
    + rb"[A-Za-z0-9_-]*(?:\."
    + _BREAK
    + rb"[A-Za-z0-9_-]*){1,3}(?:\r?\n[A-Za-z0-9_-]{20,})?"
    rb"|\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}\b"
    rb"|\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}"
    rb"|\b[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}"
    rb"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"
    rb"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}"
    rb"|hooks\.slack\.com/services/[A-Za-z0-9/_-]+"
    rb"|\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|\bwhsec_[A-Za-z0-9+/=]{16,}|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    rb"|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[A-Za-z0-9_-]{30,}|\bsk-[A-Za-z0-9_-]{20,}|\bhvs\.[A-Za-z0-9_-]{20,}"
    rb"|\bdop_v1_[a-f0-9]{40,}|\bAGE-SECRET-KEY-1[A-Z0-9]{20,}"
)
"""Tokens that say themselves what they are: JWT (also over lines), AWS, Google, Azure, forges, chat, payment."""

ASSIGNED = _of(
    rb"(?i)([\w.-]*(?:pass|pwd|secret|token|[a-z][_.-]?key|cred|dsn|conn|cookie|session|jwt|sig|auth|salt|otp|bearer|sas)[\w.-]*)"
    rb"(" + _QUOTE + rb"[ \t]{0,8}(?:=>|:=|[:=])[ \t]{0,8})(" + _VALUE + rb")"
)
"""`password=x`, `"apiKey": "x"`, `PGPASSWORD: x`."""

OPTION = _of(
    rb"(?im)((?:^|[^\w-])--?[\w-]*(?:passw|pwd|secret|token|key|cred)[\w-]*)([ \t]+)(" + _VALUE + rb")"
)
"""`--password x`, and not the end of a name: of `kubectl -n auth-token get pods` nothing is a secret."""

QUERY = _of(rb"(?i)\b(password|identified by|identified with [a-z0-9_]+ by)(\s+)('[^'\n]*')")

PAIR = _of(
    rb"(?i)(" + _QUOTE + rb"\bname" + _QUOTE + rb"\s{0,8}[:=]\s{0,8}" + _QUOTE + rb"([\w.-]+)" + _QUOTE
    + rb"\s{0,40}[,;\n]?\s{0,40}(?:-\s{0,8})?" + _QUOTE + rb"\bvalue" + _QUOTE + rb"\s{0,8}[:=]\s{0,8})("
    + _VALUE + rb")"
)  # fmt: skip
"""An environment variable as Kubernetes writes it: `name: DB_PASSWORD`, `value: x`."""

LAST_APPLIED = _of(
    rb"""(last-applied-configuration\\*["']?\s{0,4}[:=]\s{0,4})(?:\|?\s*\{[^\n]*|"(?:[^"\\]|\\.)*"|\\"[^\n]*|'[^\n]*)"""
)

SECRET_KIND = _of(rb"""kind\\*["']?\s*[:=]\s*\\*["']?Secret\b""")
SECRET_DATA = _of(rb"""(\\*"(?:stringData|data)\\*"\s*:\s*)\{[^{}]*\}""")
"""Of a Secret in JSON."""

CARD = _of(
    rb"\b[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7}\b|\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b"
)
WRAPPED = _of(
    rb"[A-Za-z0-9+/]{24,}(?:\r?\n[A-Za-z0-9+/]{4,})*={0,2}|[A-Za-z0-9_-]{24,}(?:\r?\n[A-Za-z0-9_-]{4,})*={0,2}"
)
"""What may be base64."""

_NAMES = "pass pwd secret token key cred dsn conn cookie session jwt sig auth salt otp bearer sas"
_HEADERS = "authorization cookie x-api-key x-auth-token security-token vault-token"
_TOKENS = """
eyj akia asia abia acca aroa aida aiza ya29. gocspx- 8q~ ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox xapp- k_live_
hooks.slack.com k_test_ whsec_ sg. npm_ pypi- sk- hvs. dop_v1_ age-secret-key-
"""


def _needles(words: str) -> tuple[bytes, ...]:
    return tuple(word.encode("ascii") for word in words.split())


NEEDLES: dict[Any, tuple[bytes, ...]] = {
    LAST_APPLIED: _needles("last-applied-configuration"),
    PEM: _needles("-----"),
    HEADER: _needles(_HEADERS),
    SCHEME: _needles("bearer basic"),
    URL: _needles("@"),
    TOKEN: _needles(_TOKENS),
    PAIR: _needles("value"),
    ASSIGNED: _needles(_NAMES),
    OPTION: _needles(_NAMES),
    QUERY: _needles("identified password"),
    SECRET_KIND: _needles("secret"),
}
"""In lower case. A text that has none of them need not be searched for the shape."""

ANY_NEEDLE = _of(
    b"(?i)"
    + b"|".join(re2.escape(each) for each in sorted({each for every in NEEDLES.values() for each in every}))
)
"""Found in few lines of a log, and in few annotations."""
