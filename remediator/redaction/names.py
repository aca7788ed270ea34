"""Which names are names of secrets: of environment variables, keys of JSON, settings and headers."""

import re
from functools import lru_cache
from itertools import pairwise

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ENDINGS = ("password", "passwd", "passphrase", "passwort", "pwd", "secret", "token", "apikey", "credential")
_SECRETS = """
pass passcode credentials creds dsn cookie jwt bearer sig signature otp salt authorization auth sas accesskey privatekey
secretkey sessionid pgpass
"""
_KEYS = """
api access private secret signing encryption master account shared ssh auth service license hmac session deploy storage
"""
_ABOUT = """
name names ref refs file files path paths dir type types ttl expiry expires expiration count total length len size limit
max min used usage id ids version policy status state reason error errors enabled required seconds url uri issuer
audience review reviews provider class kind at age rotation header prefix field budget bucket requests
"""
_WORDS, _BEFORE_KEY = frozenset(_SECRETS.split()), frozenset(_KEYS.split())
_PAIRS = frozenset({("session", "id"), ("connection", "string"), ("conn", "str"), ("conn", "string")})
_SAYS_ABOUT_IT = frozenset(_ABOUT.split())
"""Last words of names that say something about a secret and do not hold it: `secretName`, `token_type`."""


@lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Whether what has this name is a secret: `DB_PASSWORD`, `apiKey`, `client-secret`; not `secretName`."""
    words = [word.lower() for word in _WORD.findall(name[-200:])]
    pairs = set(pairwise(words))
    if pairs & _PAIRS:
        return True
    if not words or words[-1] in _SAYS_ABOUT_IT:
        return False
    if any(word in _WORDS or word.endswith(_ENDINGS) for word in words):
        return True
    return any(second == "key" and first in _BEFORE_KEY for first, second in pairs)
