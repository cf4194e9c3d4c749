"""What else stands on redis-py: Dramatiq and Huey, whose queues are scripts and sorted sets, and the limiters of limits."""

import threading
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.rate_limits import ConcurrentRateLimiter, WindowRateLimiter
from dramatiq.rate_limits.backends import RedisBackend as LimiterBackend
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend as ResultBackend
from huey import PriorityRedisHuey, RedisExpireHuey, RedisHuey
from huey.exceptions import TaskException, TaskLockedException
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from scenario import HOST, PORT, URL, connect, equal, main, raises, scenario, until

PATIENCE_MS = 30_000

broker = RedisBroker(host=HOST, port=PORT)
results = ResultBackend(client=connect())
broker.add_middleware(Results(backend=results))
dramatiq.set_broker(broker)


@dramatiq.actor(store_results=True)
def add(left, right):
    return left + right


@dramatiq.actor(max_retries=5, min_backoff=20, max_backoff=50, store_results=True)
def fail_until(attempts):
    count = connect().incr("attempts")
    if count < attempts:
        raise ValueError(f"attempt {count}")
    return count


@dramatiq.actor(max_retries=0)
def fail():
    raise ValueError("always")


class Workers:
    """Dramatiq's workers, for the length of a scenario."""

    def __enter__(self):
        self.worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=4)
        self.worker.start()

    def __exit__(self, *_):
        self.worker.stop()


def result(message):
    return message.get_result(backend=results, block=True, timeout=PATIENCE_MS)


@scenario
def dramatiq_runs_messages():
    """Dramatiq runs many messages, once each, and gives their results"""
    with Workers():
        messages = [add.send(number, number) for number in range(100)]
        equal([result(message) for message in messages], [number * 2 for number in range(100)])
        broker.join("default", timeout=PATIENCE_MS)
    equal(connect().llen("dramatiq:default"), 0)


@scenario
def dramatiq_delays_and_retries():
    """Dramatiq delays messages, retries them, and keeps those that are dead"""
    with Workers():
        began = time.time()
        late = add.send_with_options(args=(1, 1), delay=500)
        equal(result(fail_until.send(3)), 3)
        equal(result(late), 2)
        assert time.time() - began >= 0.5
        fail.send()
        until(lambda: connect().zcard("dramatiq:default.XQ") == 1)
    equal(connect().hlen("dramatiq:default.XQ.msgs"), 1)


@scenario
def dramatiq_pipelines_and_groups():
    """Dramatiq runs pipelines and groups"""
    with Workers():
        pipe = (add.message(1, 2) | add.message(3) | add.message(4)).run()
        equal(pipe.get_result(block=True, timeout=PATIENCE_MS), 10)
        group = dramatiq.group(add.message(number, 1) for number in range(10)).run()
        equal(list(group.get_results(block=True, timeout=PATIENCE_MS)), list(range(1, 11)))


@scenario
def dramatiq_limits_rates():
    """Dramatiq's limiters let in no more than they should"""
    backend = LimiterBackend(client=connect())
    one = ConcurrentRateLimiter(backend, "one", limit=2)
    with one.acquire(), one.acquire():
        with one.acquire(raise_on_failure=False) as acquired:
            equal(acquired, False)
    with one.acquire(raise_on_failure=False) as acquired:
        equal(acquired, True)
    window = WindowRateLimiter(backend, "window", limit=5, window=60)
    let_in = 0
    for _ in range(10):
        with window.acquire(raise_on_failure=False) as acquired:
            let_in += acquired
    equal(let_in, 5)


class Consumer:
    """Huey's consumer in threads of this process, for the length of a scenario."""

    def __init__(self, huey):
        self.consumer = huey.create_consumer(workers=2, periodic=False, initial_delay=0.01, scheduler_interval=1)
        # Only a program of its own has signals to handle.
        self.consumer._set_signal_handlers = lambda: None

    def __enter__(self):
        self.consumer.start()

    def __exit__(self, *_):
        self.consumer.stop(graceful=True)


@scenario
def huey_runs_retries_and_delays():
    """Huey runs, retries, delays and revokes tasks"""
    huey = RedisHuey("plain", url=URL, blocking=True, read_timeout=1)
    tries = []

    @huey.task(retries=2)
    def shaky():
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("ill")
        return len(tries)

    @huey.task()
    def twice(number):
        if number < 0:
            raise ValueError("negative")
        return number * 2

    revoked = twice.schedule(args=(9,), delay=0.2)
    revoked.revoke()
    with Consumer(huey):
        equal(twice.map(range(10)).get(blocking=True, timeout=30), [number * 2 for number in range(10)])
        assert "negative" in str(raises(TaskException, twice(-1).get, blocking=True, timeout=30))
        began = time.time()
        late = twice.schedule(args=(5,), delay=1)
        handle = shaky()
        until(lambda: len(tries) == 3)
        equal(handle.get(blocking=True, timeout=30), 3)
        equal(late.get(blocking=True, timeout=30), 10)
        assert time.time() - began >= 0.9
        chain = huey.enqueue(twice.s(3).then(twice))
        equal(chain.get(blocking=True, timeout=30), [6, 12])
        equal(revoked.get(), None)


@scenario
def huey_orders_by_priority():
    """Huey takes tasks of a higher priority first, and keeps a locked one out"""
    huey = PriorityRedisHuey("priorities", url=URL, blocking=True, read_timeout=1)
    order = []

    @huey.task()
    def note(word):
        order.append(word)

    for word, priority in (("low", 1), ("none", None), ("high", 50), ("middle", 10)):
        note(word, priority=priority)
    equal(huey.pending_count(), 4)
    while huey.pending_count():
        huey.execute(huey.dequeue())
    equal(order, ["high", "middle", "low", "none"])
    with huey.lock_task("lock"):
        raises(TaskLockedException, huey.lock_task("lock").__enter__)
    with huey.lock_task("lock"):
        pass


@scenario
def huey_results_expire():
    """Huey's results expire where that is asked for"""
    huey = RedisExpireHuey("brief", url=URL, expire_time=100)

    @huey.task()
    def one():
        return 1

    handle = one()
    huey.execute(huey.dequeue())
    keys = [key for key in connect().keys() if handle.id.encode() in key]
    equal(len(keys), 1)
    assert 0 < connect().ttl(keys[0]) <= 100
    equal(handle.get(), 1)


def hit_by_threads(limiter, item, count):
    """How many of `count` hits from several threads are let in."""
    let_in = []

    def hit():
        for _ in range(count // 4):
            let_in.append(limiter.hit(item, "user"))

    threads = [threading.Thread(target=hit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(let_in)


@scenario
def limits_counts_windows():
    """limits lets in no more than it should, by fixed, moving and sliding windows"""
    storage = RedisStorage(URL)
    for kind in (FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter):
        storage.reset()
        limiter, item = kind(storage), RateLimitItemPerMinute(10, 60)
        equal(hit_by_threads(limiter, item, 40), 10)
        equal((limiter.test(item, "user"), limiter.test(item, "other")), (False, True))
        stats = limiter.get_window_stats(item, "user")
        equal(stats.remaining, 0)
        assert time.time() < stats.reset_time <= time.time() + 3601, stats
        limiter.clear(item, "user")
        equal(limiter.hit(item, "user", cost=10), True)


@scenario
def limits_slides():
    """limits' windows move on"""
    for kind in (FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter):
        limiter, item = kind(RedisStorage(URL)), RateLimitItemPerSecond(2)
        name = kind.__name__
        until(lambda: not limiter.hit(item, name))
        until(lambda: limiter.hit(item, name))


if __name__ == "__main__":
    main()
