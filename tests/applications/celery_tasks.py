"""Celery: Redis as broker and as result backend, with a worker of its own process."""

import os
import subprocess
import sys
import time

from celery import Celery, chain, chord, group
from celery.exceptions import ChordError, TaskRevokedError

from scenario import PATIENCE, URL, connect, equal, raises, run, scenario, until

app = Celery("celery_tasks", broker=URL, backend=URL)
app.conf.update(
    broker_connection_retry_on_startup=True,
    result_expires=600,
    task_track_started=True,
    worker_prefetch_multiplier=1,
    # A task that asks for the future is looked at again this often, in seconds.
    worker_timer_precision=0.1,
)


# The tasks. The worker imports this module and finds them by their names.


@app.task
def add(left, right):
    return left + right


@app.task
def total(numbers):
    connect().incr("totals")
    return sum(numbers)


@app.task
def fail():
    raise ValueError("always")


@app.task(bind=True, max_retries=3)
def fail_until(self, attempts):
    count = connect().incr("attempts")
    if count < attempts:
        raise self.retry(countdown=0.1, exc=ValueError(f"attempt {count}"))
    return self.request.retries


@app.task(bind=True)
def report(self):
    self.update_state(state="HALF", meta={"done": 50})
    connect().blpop("continue", timeout=PATIENCE)
    return "all"


@app.task(ignore_result=True)
def note(word):
    connect().rpush("notes", word)


@app.task
def now():
    return time.time()


@app.task
def hang():
    connect().set("hanging", 1)
    time.sleep(60)


def get(result):
    return result.get(timeout=PATIENCE)


@scenario
def a_result_comes_back():
    """a task's result comes back, with its state and an expiry"""
    result = add.delay(2, 3)
    equal((get(result), result.state, result.successful()), (5, "SUCCESS", True))
    key = app.backend.get_key_for_task(result.id)
    assert 0 < connect().ttl(key) <= 600
    result.forget()
    equal(connect().exists(key), 0)


@scenario
def a_failure_comes_back():
    """a task's exception comes back"""
    result = fail.delay()
    equal(str(raises(ValueError, get, result)), "always")
    equal(result.state, "FAILURE")


@scenario
def progress_is_seen():
    """the state that a running task reports is seen at once"""
    result = report.delay()
    until(lambda: result.state == "HALF")
    equal(result.info, {"done": 50})
    connect().rpush("continue", 1)
    equal(get(result), "all")


@scenario
def a_group_gives_all_results_in_order():
    """a group gives all results in the order of its tasks"""
    result = group(add.s(number, number) for number in range(20)).apply_async()
    equal(get(result), [number * 2 for number in range(20)])
    saved = group(add.s(1, 1), add.s(2, 2)).apply_async()
    saved.save()
    equal(get(app.GroupResult.restore(saved.id)), [2, 4])


@scenario
def a_chord_waits_for_its_header():
    """a chord's body gets what the whole header gave"""
    equal(get(chord((add.s(number, 1) for number in range(10)), total.s())()), 55)
    equal(connect().get("totals"), b"1")
    nested = chord([chain(add.s(1, 1), add.s(1)), add.s(4, 4)], chain(total.s(), add.s(9)))
    equal(get(nested()), 20)


@scenario
def a_chord_with_a_broken_header_fails():
    """a chord whose header fails does not run its body"""
    result = chord([add.s(1, 1), fail.s()], total.s())()
    error = result.get(timeout=PATIENCE, propagate=False)
    assert isinstance(error, ChordError) and "always" in str(error), repr(error)
    equal((result.state, connect().exists("totals")), ("FAILURE", 0))


@scenario
def chains_and_chunks():
    """a chain hands results on, a map and chunks run many in few tasks"""
    equal(get(chain(add.s(1, 2), add.s(3), add.s(4))()), 10)
    equal(get(chain(add.s(1, 2), group(add.s(10), add.s(20)), total.s())()), 36)
    equal(get(add.chunks([(number, 1) for number in range(6)], 3).apply_async()), [[1, 2, 3], [4, 5, 6]])


@scenario
def a_task_is_retried():
    """a task retries itself with a countdown"""
    equal(get(fail_until.delay(3)), 2)
    equal(connect().get("attempts"), b"3")


@scenario
def a_countdown_is_kept():
    """a task with a countdown does not run before it"""
    asked = time.time()
    late, soon = now.apply_async(countdown=1), now.delay()
    assert get(soon) < asked + 1
    assert get(late) >= asked + 1


@scenario
def tasks_can_be_revoked():
    """a task is revoked before it runs, and while it runs"""
    waiting = add.apply_async((1, 1), countdown=1)
    waiting.revoke()
    raises(TaskRevokedError, get, waiting)
    running = hang.delay()
    until(lambda: connect().get("hanging"))
    running.revoke(terminate=True)
    raises(TaskRevokedError, get, running)
    equal((waiting.state, running.state), ("REVOKED", "REVOKED"))


@scenario
def an_expired_task_does_not_run():
    """a task that expired in the queue does not run"""
    raises(TaskRevokedError, get, fail_until.apply_async((1,), expires=-1))
    equal(connect().exists("attempts"), 0)


@scenario
def queues_and_priorities():
    """tasks wait in the queue and the priority they were sent to"""
    with app.connection_for_write() as connection:
        for word, priority in (("low", 9), ("high", 0), ("middle", 3)):
            note.apply_async((word,), queue="apart", priority=priority, connection=connection)
    equal(sorted(key for key in connect().keys("apart*")), [b"apart", b"apart\x06\x163", b"apart\x06\x169"])
    app.control.add_consumer("apart", reply=True)
    until(lambda: connect().llen("notes") == 3)
    app.control.cancel_consumer("apart", reply=True)
    equal(set(connect().lrange("notes", 0, -1)), {b"low", b"high", b"middle"})


@scenario
def workers_answer_questions():
    """workers answer what is broadcast to them"""
    inspect = app.control.inspect(timeout=5, limit=1)
    (names,) = inspect.registered().values()
    assert "celery_tasks.add" in names
    equal([list(answer.values()) for answer in app.control.ping(timeout=5, limit=1)], [[{"ok": "pong"}]])


@scenario
def the_queue_can_be_purged():
    """what waits in a queue can be purged"""
    for number in range(5):
        add.apply_async((number, 1), queue="nobody")
    with app.connection_for_write() as connection:
        equal(connection.default_channel.queue_purge("nobody"), 5)


def start_worker():
    """A worker with two processes, which looks for messages of other workers only when they are for it."""
    command = [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "--concurrency", "2"]
    return subprocess.Popen(command + ["--loglevel", "CRITICAL", "--without-mingle", "--without-gossip"])


if __name__ == "__main__":
    connect().flushall()
    worker = start_worker()
    try:
        until(lambda: app.control.ping(timeout=0.5, limit=1))
        status = run()
    finally:
        worker.terminate()
        worker.wait()
    os._exit(status)
