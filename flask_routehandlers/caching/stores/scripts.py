"""Lua scripts for a Redis or Valkey server, which runs each of them in one step.

Times are milliseconds by the server's clock, which may be set back.
"""

from __future__ import annotations

from hashlib import sha1

from .base import StoreRefusedError
from .connections import Connections, Reply, pack

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""


class Script:
    """A Lua script. A server that has seen it knows it by its digest.

    :param source: the script. It names its ``KEYS`` and ``ARGV`` in the comment above it.
    """

    def __init__(self, source: str) -> None:
        self._source = source.strip().encode()
        # The name that Redis gives it; it protects nothing.
        self._digest = sha1(self._source, usedforsecurity=False).hexdigest().encode()

    def run(self, connections: Connections, keys: list[bytes], *arguments: bytes) -> Reply:
        """Run the script on the server, with its ``KEYS`` and ``ARGV``.

        :raises StoreRefusedError: when the server refuses.
        """
        try:
            return connections.call(self.command(keys, *arguments))
        except StoreRefusedError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
        rest = (b"%d" % len(keys), *keys, *arguments)
        return connections.call(pack((b"EVAL", self._source, *rest)))

    def command(self, keys: list[bytes], *arguments: bytes) -> bytes:
        """Return the command that runs it on a server that knows it."""
        return pack((b"EVALSHA", self._digest, b"%d" % len(keys), *keys, *arguments))


#: KEYS: entry. ARGV: a signature. Nothing, or the age of the entry; if it has another signature, a
#: space and its bytes follow. An entry remembers the generations of its tags.
GET = Script(f"""
local entry = redis.pcall('HMGET', KEYS[1], 'stored', 'tags', 'signature')
if entry.err or not entry[1] or not entry[2] then return false end
local stored, is_sound, tags = tonumber(entry[1]), pcall(cmsgpack.unpack, entry[2])
if not stored or not is_sound or type(tags) ~= 'table' then return false end
for i = 1, #tags, 2 do
  if redis.pcall('GET', tags[i]) ~= tags[i + 1] then
    redis.pcall('UNLINK', KEYS[1])
    return false
  end
end
{_NOW}
if entry[3] == ARGV[1] then return now - stored end
local data = redis.call('HGET', KEYS[1], 'data')
return data and string.format('%.0f ', now - stored) .. data
""")

#: KEYS: mark, tags. ARGV: a new generation, seconds of the longest run, for which all are kept.
#: The generations of all keys, of 32 characters each; what has none gets the new one.
BEGIN = Script("""
local generations = {}
for i, key in ipairs(KEYS) do
  local generation = redis.pcall('GET', key)
  if type(generation) ~= 'string' or #generation ~= 32 then
    generation = ARGV[1]
    redis.call('SET', key, generation, 'EX', ARGV[2])
  elseif redis.call('TTL', key) < ARGV[2] + 0 then
    redis.call('EXPIRE', key, ARGV[2])
  end
  generations[i] = generation
end
return table.concat(generations)
""")

#: KEYS: entry, lock of a refresh, mark, tags. ARGV: data, signature, seconds, generations of mark
#: and tags. 1 if it was stored, 0 if a generation changed.
PUT = Script(f"""
local tags = {{}}
for i = 3, #KEYS do
  if redis.pcall('GET', KEYS[i]) ~= ARGV[i + 1] then return 0 end
  if i > 3 then
    table.insert(tags, KEYS[i])
    table.insert(tags, ARGV[i + 1])
    redis.call('EXPIRE', KEYS[i], ARGV[3])
  end
end
{_NOW}
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'stored', string.format('%.0f', now), 'tags', cmsgpack.pack(tags),
  'signature', ARGV[2], 'data', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
""")

#: KEYS: mark, tags. ARGV: seconds of the longest run, and of the shortest, for which a key is kept
#: that no entry needs.
DISCARD = Script("""
for _, key in ipairs(KEYS) do
  if redis.call('TTL', key) <= ARGV[1] + 0 then redis.call('EXPIRE', key, ARGV[2]) end
end
""")

#: KEYS: lock. ARGV: token, milliseconds, seconds of the longest lock. Nothing if the lock is held,
#: unless it would last longer: then the clock was set back, and it may have no owner any more.
LOCK = Script("""
if redis.call('TTL', KEYS[1]) > ARGV[3] + 0 then redis.call('DEL', KEYS[1]) end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
""")

#: KEYS: lock. ARGV: token, milliseconds; 0 to release it. 1 if the lock belongs to the token.
RENEW = Script("""
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")
