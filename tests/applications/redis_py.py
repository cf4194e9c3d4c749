"""redis-py: locks, transactions with WATCH, pub/sub, scripts, the client-side cache, field expiry, streams; both protocols."""

import threading
import time

from redis.cache import CacheConfig
from redis.exceptions import LockError, LockNotOwnedError, NoScriptError, ResponseError, WatchError

from scenario import connect, equal, main, raises, scenario, until


def both(body):
    """Runs a scenario in both protocols, each on an empty server."""

    def run():
        for protocol in (2, 3):
            connect().flushall()
            body(protocol)

    run.__doc__ = body.__doc__
    return run


def decoding(protocol, **options):
    return connect(protocol=protocol, decode_responses=True, **options)


def at_once(function):
    """Runs a function in a thread of its own; what gives its result, or raises what it raised."""
    got = []

    def body():
        try:
            got.append((function(), None))
        except Exception as error:
            got.append((None, error))

    thread = threading.Thread(target=body)
    thread.start()

    def join():
        thread.join(30)
        assert got, "it has not ended"
        ((result, error),) = got
        if error:
            raise error
        return result

    return join


def message(pubsub):
    """The next message, without its pattern where it has none."""
    got = until(lambda: pubsub.get_message(timeout=5))
    return tuple(got[field] for field in ("type", "pattern", "channel", "data") if got[field] is not None)


@scenario
@both
def a_lock_has_one_owner(protocol):
    """a lock has one owner, and others wait for it"""
    first, second = (connect(protocol=protocol).lock("lock", timeout=10, thread_local=False) for _ in range(2))
    equal((first.acquire(), second.acquire(blocking=False), first.locked()), (True, False, True))
    equal((first.owned(), second.owned()), (True, False))
    assert 9_000 < connect().pttl("lock") <= 10_000
    began = time.monotonic()
    equal(second.acquire(blocking_timeout=0.3), False)
    assert 0.2 <= time.monotonic() - began
    waiting = at_once(lambda: second.acquire(blocking_timeout=20))
    first.release()
    equal((waiting(), second.owned()), (True, True))
    raises(LockError, first.release)
    second.release()
    equal(connect().exists("lock"), 0)


@scenario
@both
def a_lock_can_be_extended_and_lost(protocol):
    """a lock can be extended, is lost when its time is over, and cannot be released then"""
    client = connect(protocol=protocol)
    lock = client.lock("lock", timeout=10)
    with lock:
        lock.extend(10)
        assert 19_000 < client.pttl("lock") <= 20_000
        lock.extend(5, replace_ttl=True)
        assert 4_000 < client.pttl("lock") <= 5_000
        lock.reacquire()
        assert 9_000 < client.pttl("lock") <= 10_000
    short = client.lock("lock", timeout=0.05)
    short.acquire()
    until(lambda: not short.locked())
    raises(LockNotOwnedError, short.extend, 10)
    raises(LockNotOwnedError, short.release)
    short.acquire()
    client.set("lock", "stolen")
    raises(LockNotOwnedError, short.release)
    equal(client.get("lock"), b"stolen")


@scenario
@both
def many_threads_share_a_lock(protocol):
    """what many threads do under a lock is never done at the same time"""

    def count():
        client = connect(protocol=protocol)
        for _ in range(10):
            with client.lock("lock", timeout=20, sleep=0.002):
                client.set("counter", int(client.get("counter") or 0) + 1)

    for join in [at_once(count) for _ in range(5)]:
        join()
    equal(connect().get("counter"), b"50")


@scenario
@both
def a_watched_key_that_changes_undoes_the_transaction(protocol):
    """a transaction whose watched key changed is not run, and runs on the next attempt"""
    client = decoding(protocol)
    client.set("stock", 5)
    with client.pipeline() as pipe:
        pipe.watch("stock")
        left = int(pipe.get("stock"))
        client.set("stock", 3)
        pipe.multi()
        pipe.set("stock", left - 1)
        raises(WatchError, pipe.execute)
    attempts = []

    def take(pipe):
        left = int(pipe.get("stock"))
        if not attempts:
            client.decr("stock")
        attempts.append(left)
        pipe.multi()
        pipe.decr("stock").lpush("sold", "one")

    equal(client.transaction(take, "stock"), [1, 1])
    equal((attempts, client.get("stock"), client.lrange("sold", 0, -1)), ([3, 2], "1", ["one"]))


@scenario
@both
def watching_threads_lose_no_update(protocol):
    """many threads that watch and retry lose no update"""

    def count():
        client = decoding(protocol)
        for _ in range(20):
            client.transaction(lambda pipe: (value := pipe.get("n"), pipe.multi(), pipe.set("n", int(value or 0) + 1)), "n")

    for join in [at_once(count) for _ in range(4)]:
        join()
    equal(connect().get("n"), b"80")


@scenario
@both
def an_error_in_a_pipeline_is_the_commands_own(protocol):
    """an error in a pipeline hits one command, an error of syntax the whole transaction"""
    client = decoding(protocol)
    results = client.pipeline().set("a", "x").incr("a").get("a").execute(raise_on_error=False)
    equal((results[0], type(results[1]), results[2]), (True, ResponseError, "x"))
    assert "value is not an integer or out of range" in str(results[1])
    error = raises(ResponseError, client.pipeline().set("b", 1).execute_command("SET", "b").execute)
    assert "wrong number of arguments for 'set' command" in str(error), str(error)
    equal(client.exists("b"), 0)
    plain = client.pipeline(transaction=False)
    for number in range(1000):
        plain.rpush("list", number)
    equal(plain.execute(), list(range(1, 1001)))


@scenario
@both
def messages_reach_channels_and_patterns(protocol):
    """a message reaches who subscribed to its channel or to a pattern of it, in order"""
    client = decoding(protocol)
    pubsub = client.pubsub()
    pubsub.subscribe("news.art", "other")
    pubsub.psubscribe("news.*")
    said = {message(pubsub) for _ in range(3)}
    equal(said, {("subscribe", "news.art", 1), ("subscribe", "other", 2), ("psubscribe", "news.*", 3)})
    equal((client.publish("news.art", "one"), client.publish("nobody", "two")), (2, 0))
    equal(message(pubsub), ("message", "news.art", "one"))
    equal(message(pubsub), ("pmessage", "news.*", "news.art", "one"))
    equal(sorted(client.pubsub_channels()), ["news.art", "other"])
    equal((client.pubsub_numsub("news.art", "none"), client.pubsub_numpat()), ([("news.art", 1), ("none", 0)], 1))
    pubsub.unsubscribe("news.art")
    equal(message(pubsub), ("unsubscribe", "news.art", 2))
    equal(client.publish("news.art", "three"), 1)
    equal(message(pubsub), ("pmessage", "news.*", "news.art", "three"))
    for number in range(500):
        client.publish("other", number)
    equal([message(pubsub)[-1] for _ in range(500)], [str(number) for number in range(500)])
    pubsub.close()
    until(lambda: client.pubsub_numpat() == 0)


@scenario
@both
def shard_channels_are_apart(protocol):
    """a shard channel is not a channel"""
    client = decoding(protocol)
    pubsub = client.pubsub()
    pubsub.ssubscribe("news")
    equal(message(pubsub), ("ssubscribe", "news", 1))
    equal((client.publish("news", "no"), client.spublish("news", "yes")), (0, 1))
    equal(message(pubsub), ("smessage", "news", "yes"))
    equal((client.pubsub_shardchannels(), client.pubsub_channels()), (["news"], []))


@scenario
@both
def keyspace_events_tell_of_every_change(protocol):
    """keyspace events tell of changes and of keys that expire"""
    client = decoding(protocol)
    client.config_set("notify-keyspace-events", "KEA")
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.psubscribe("__key*__:*")
    until(lambda: client.pubsub_numpat() == 1)
    client.set("a", 1, px=50)
    client.hset("h", "f", 1)
    client.rename("h", "g")
    wanted = [("a", "set"), ("a", "expire"), ("h", "hset"), ("h", "rename_from"), ("g", "rename_to"), ("a", "expired")]
    got = []
    for _ in wanted:
        _, _, space, event = message(pubsub)
        _, _, events, key = message(pubsub)
        equal((space, events), (f"__keyspace@0__:{key}", f"__keyevent@0__:{event}"))
        got.append((key, event))
    equal(got, wanted)
    client.config_set("notify-keyspace-events", "")
    pubsub.close()


@scenario
@both
def scripts_are_loaded_when_they_are_missing(protocol):
    """a registered script is loaded where it is missing, runs in pipelines, and returns what Lua can"""
    client = decoding(protocol)
    script = client.register_script("local n = redis.call('INCRBY', KEYS[1], ARGV[1]) return {n, ARGV[1], false, {ok='FINE'}}")
    equal(script(keys=["n"], args=[5]), [5, "5", None, "FINE"])
    client.script_flush()
    raises(NoScriptError, client.evalsha, script.sha, 1, "n", 1)
    equal(script(keys=["n"], args=[2])[0], 7)
    client.script_flush()
    pipe = client.pipeline()
    pipe.set("n", 100)
    script(keys=["n"], args=[1], client=pipe)
    equal(pipe.execute()[1][0], 101)
    equal(client.script_exists(script.sha, "0" * 40), [True, False])
    error = raises(ResponseError, client.eval, "return redis.call('LPUSH', KEYS[1], 1)", 1, "n")
    assert "WRONGTYPE" in str(error) or "Operation against a key holding the wrong kind" in str(error), str(error)
    equal(client.eval("return cjson.encode({a={1,2}})", 0), '{"a":[1,2]}')
    raises(ResponseError, client.eval_ro, "return redis.call('SET', 'x', 1)", 0)


@scenario
@both
def functions_are_kept_in_libraries(protocol):
    """functions are loaded, called, listed, dumped and restored"""
    client = decoding(protocol)
    code = "#!lua name=mine\nredis.register_function('double', function(k, a) return redis.call('SET', k[1], a[1] * 2) end)\n"
    code += "redis.register_function{function_name='seen', callback=function(k) return redis.call('GET', k[1]) end, flags={'no-writes'}}"
    equal(client.function_load(code), "mine")
    raises(ResponseError, client.function_load, code)
    equal((client.fcall("double", 1, "a", 21), client.fcall_ro("seen", 1, "a")), ("OK", "42"))
    raises(ResponseError, client.fcall_ro, "double", 1, "a", 21)
    raw = connect(protocol=protocol)
    dump = raw.function_dump()
    client.function_delete("mine")
    equal(client.function_list(), [])
    raw.function_restore(dump)
    equal(client.fcall_ro("seen", 1, "a"), "42")
    client.function_flush()


@scenario
def the_client_side_cache_never_lies():
    """the client-side cache answers without the server until another client changes the key"""
    other = decoding(3)
    if "valkey_version" in other.info("server"):
        # The library refuses a server that calls itself Redis 7.2.
        return
    other.config_resetstat()
    cached = decoding(3, cache_config=CacheConfig(max_size=100))
    cache = cached.get_cache()

    def calls():
        return other.info("commandstats")["cmdstat_get"]["calls"]

    other.set("a", 1)
    equal([cached.get("a") for _ in range(5)], ["1"] * 5)
    equal((calls(), cache.size), (1, 1))
    other.set("a", 2)
    until(lambda: cached.get("a") == "2")
    equal((cached.get("a"), calls()), ("2", 2))
    equal(cached.mget("a", "b"), ["2", None])
    other.pipeline().set("b", "x").delete("a").execute()
    until(lambda: cached.mget("a", "b") == [None, "x"])
    other.hset("h", mapping={"f": 1})
    equal(cached.hgetall("h"), {"f": "1"})
    other.eval("redis.call('HSET', KEYS[1], 'g', 2)", 1, "h")
    until(lambda: cached.hgetall("h") == {"f": "1", "g": "2"})
    other.flushall()
    until(lambda: cached.get("b") is None and cached.hgetall("h") == {})
    cached.set("mine", 1)
    equal(cached.get("mine"), "1")
    cached.set("mine", 2)
    until(lambda: cached.get("mine") == "2")
    other.set("brief", 1, px=50)
    equal(cached.get("brief"), "1")
    until(lambda: cached.get("brief") is None)
    cached.close()


@scenario
@both
def fields_of_hashes_expire(protocol):
    """fields of hashes expire, and the hash with its last"""
    client = decoding(protocol)
    client.hset("h", mapping={"a": 1, "b": 2, "c": 3})
    equal(client.hexpire("h", 100, "a", "none"), [1, -2])
    equal(client.httl("h", "a", "b", "none"), [100, -1, -2])
    equal((client.hpersist("h", "a"), client.httl("h", "a")), ([1], [-1]))
    equal(client.hpexpire("h", 30, "a", "b"), [1, 1])
    until(lambda: client.hgetall("h") == {"c": "3"} and client.hlen("h") == 1)
    equal(client.hget("h", "a"), None)
    equal(client.hexpire("h", 100, "c", nx=True), [1])
    equal(client.hexpire("h", 50, "c", gt=True), [0])
    equal(client.hpexpire("h", 20, "c", lt=True), [1])
    until(lambda: not client.exists("h"))


@scenario
@both
def groups_share_a_stream(protocol):
    """consumers of a group share a stream, acknowledge, and take over from the dead"""
    client = decoding(protocol)
    equal(client.xgroup_create("s", "g", id="0", mkstream=True), True)
    waiting = at_once(lambda: decoding(protocol).xreadgroup("g", "late", {"s": ">"}, block=20_000, count=1))
    until(lambda: client.info("clients")["blocked_clients"] == 1)
    ids = [client.xadd("s", {"n": number}) for number in range(6)]
    got = waiting()
    entries = got["s"][0] if isinstance(got, dict) else got[0][1]
    equal(entries, [(ids[0], {"n": "0"})])
    client.xreadgroup("g", "dead", {"s": ">"}, count=2)
    client.xreadgroup("g", "alive", {"s": ">"}, count=10)
    equal(client.xpending("s", "g")["pending"], 6)
    equal(client.xack("s", "g", *ids[3:]), 3)
    claimed = client.xautoclaim("s", "g", "alive", min_idle_time=0, start_id=ids[1], count=2)
    equal([entry for entry, _ in claimed[1]], ids[1:3])
    equal({item["consumer"] for item in client.xpending_range("s", "g", "-", "+", 10)}, {"late", "alive"})
    equal(sorted(consumer["name"] for consumer in client.xinfo_consumers("s", "g")), ["alive", "dead", "late"])
    group = client.xinfo_groups("s")[0]
    equal((group["pending"], group["entries-read"], group["lag"]), (3, 6, 0))
    equal((client.xtrim("s", maxlen=2, approximate=False), client.xlen("s"), client.xrange("s")[0][0]), (4, 2, ids[4]))


@scenario
@both
def scans_find_everything(protocol):
    """scans find every key, member and field while they change"""
    client = decoding(protocol)
    pipe = client.pipeline(transaction=False)
    for number in range(3000):
        pipe.set(f"key:{number}", number)
        pipe.hset("hash", f"f{number}", number)
        pipe.zadd("zset", {f"m{number}": number})
        pipe.sadd("set", f"m{number}")
    pipe.execute()
    found = set()
    for at, key in enumerate(client.scan_iter(match="key:*", count=50)):
        found.add(key)
        client.set(f"new:{at}", at)
    equal(found, {f"key:{number}" for number in range(3000)})
    equal(dict(client.hscan_iter("hash", count=30)), {f"f{number}": str(number) for number in range(3000)})
    equal(dict(client.zscan_iter("zset")), {f"m{number}": float(number) for number in range(3000)})
    equal(len(set(client.sscan_iter("set", match="m1*"))), 1111)
    equal(list(client.scan_iter(_type="zset")), ["zset"])


@scenario
@both
def blocked_clients_are_served_in_order(protocol):
    """clients that wait for a list are served in order, and let go when told"""
    client = decoding(protocol)
    waiting = []
    for number in range(3):
        waiting.append(at_once(lambda: decoding(protocol).blpop(["a", "b"], timeout=20)))
        until(lambda: client.info("clients")["blocked_clients"] == number + 1)
    client.rpush("b", 1, 2)
    equal([tuple(join()) for join in waiting[:2]], [("b", "1"), ("b", "2")])
    blocked = decoding(protocol)
    number = blocked.client_id()
    unblocked = at_once(lambda: blocked.brpop("none", timeout=20))
    until(lambda: client.info("clients")["blocked_clients"] == 2)
    equal(client.client_unblock(number), True)
    equal(unblocked(), None)
    client.pipeline().rpush("a", "x").set("after", 1).execute()
    equal(tuple(waiting[2]()), ("a", "x"))


@scenario
@both
def types_come_back_as_they_are(protocol):
    """numbers, scores, maps, sets and bytes come back as what they are"""
    client = connect(protocol=protocol)
    everything = bytes(range(256)) * 300
    client.set(everything, everything)
    equal((client.get(everything), client.keys()), (everything, [everything]))
    client.delete(everything)
    client.zadd("z", {"a": 1.5, "b": float("inf")})
    equal([tuple(pair) for pair in client.zrange("z", 0, -1, withscores=True)], [(b"a", 1.5), (b"b", float("inf"))])
    equal((client.zscore("z", "a"), client.zincrby("z", 0.1, "a")), (1.5, 1.6))
    client.sadd("s", "x", "y")
    equal(set(client.smembers("s")), {b"x", b"y"})
    client.geoadd("geo", [13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"])
    assert abs(client.geodist("geo", "Palermo", "Catania", unit="km") - 166.2742) < 0.001
    restored = client.dump("z")
    client.restore("copy", 0, restored)
    equal(client.zscore("copy", "b"), float("inf"))


if __name__ == "__main__":
    main()
