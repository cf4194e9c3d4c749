"""RQ: jobs in lists, results in streams, retries, schedules, dependencies, and commands to workers by pub/sub."""

import os
import threading
import time
from datetime import timedelta

from rq import Queue, Repeat, Retry, Worker
from rq.command import send_stop_job_command
from rq.group import Group
from rq.job import Dependency, Job
from rq.registry import DeferredJobRegistry, FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry
from rq.results import Result

from scenario import connect, equal, main, scenario, until


# The jobs. Workers import this module and find them by their names.


def add(left, right):
    return left + right


def fail():
    raise ValueError("always")


def fail_until(attempts):
    count = connect().incr("attempts")
    if count < attempts:
        raise ValueError(f"attempt {count}")
    return count


def note(word):
    connect().rpush("notes", word)


def hang():
    connect().set("hanging", os.getpid())
    time.sleep(60)


def work(queue, **options):
    """A worker that ends when nothing is left to do."""
    worker = Worker([queue], connection=connect())
    worker.work(burst=True, logging_level="CRITICAL", **options)
    return worker


def fetch(job):
    return Job.fetch(job.id, connection=connect())


@scenario
def a_burst_worker_runs_what_is_queued():
    """a burst worker runs what is queued and stores the results"""
    queue = Queue(connection=connect())
    jobs = [queue.enqueue("rq_jobs.add", number, 1) for number in range(5)]
    equal(queue.count, 5)
    equal([job.get_position() for job in jobs], [0, 1, 2, 3, 4])
    worker = work(queue)
    equal(queue.count, 0)
    equal([fetch(job).get_status() for job in jobs], ["finished"] * 5)
    equal([fetch(job).return_value() for job in jobs], [1, 2, 3, 4, 5])
    equal(sorted(FinishedJobRegistry(queue=queue).get_job_ids()), sorted(job.id for job in jobs))
    worker.refresh()
    equal((worker.successful_job_count, worker.failed_job_count), (5, 0))
    equal(Worker.count(connection=connect()), 0)
    assert 0 < connect().ttl(jobs[0].key) <= 500


@scenario
def a_result_can_be_waited_for():
    """a result can be waited for while a worker makes it"""
    queue = Queue(connection=connect())
    job = queue.enqueue("rq_jobs.add", "a", "b")
    got = []
    waiter = threading.Thread(target=lambda: got.append(fetch(job).latest_result(timeout=20)))
    waiter.start()
    until(lambda: connect().info("clients")["blocked_clients"] == 1)
    work(queue)
    waiter.join()
    equal([(result.type, result.return_value) for result in got], [(Result.Type.SUCCESSFUL, "ab")])


@scenario
def jobs_in_bulk_and_at_the_front():
    """jobs can be queued in bulk, at the front, and taken back"""
    queue = Queue(connection=connect())
    prepare = Queue.prepare_data
    bulk = queue.enqueue_many([prepare("rq_jobs.note", (word,)) for word in ("a", "b", "c")])
    queue.enqueue("rq_jobs.note", "first", at_front=True)
    bulk[1].cancel()
    bulk[2].delete()
    equal(fetch(bulk[1]).get_status(), "canceled")
    assert not Job.exists(bulk[2].id, connection=connect())
    work(queue)
    equal(connect().lrange("notes", 0, -1), [b"first", b"a"])


@scenario
def failed_jobs_are_retried():
    """a failed job is retried as often as it asks for, then kept as failed"""
    queue = Queue(connection=connect())
    retried = queue.enqueue("rq_jobs.fail_until", 3, retry=Retry(max=3))
    failed = queue.enqueue("rq_jobs.fail", retry=Retry(max=1))
    work(queue)
    equal((fetch(retried).get_status(), fetch(retried).return_value()), ("finished", 3))
    equal(fetch(retried).retries_left, 1)
    equal(fetch(failed).get_status(), "failed")
    assert "ValueError: always" in fetch(failed).latest_result().exc_string
    registry = FailedJobRegistry(queue=queue)
    equal(registry.get_job_ids(), [failed.id])
    registry.requeue(failed.id)
    equal((fetch(failed).get_status(), queue.job_ids, len(registry)), ("queued", [failed.id], 0))


@scenario
def retries_may_wait():
    """a retry with an interval waits in the schedule"""
    queue = Queue(connection=connect())
    job = queue.enqueue("rq_jobs.fail_until", 2, retry=Retry(max=1, interval=1))
    work(queue, with_scheduler=True)
    equal((fetch(job).get_status(), ScheduledJobRegistry(queue=queue).get_job_ids()), ("scheduled", [job.id]))
    until(lambda: work(queue, with_scheduler=True) and fetch(job).is_finished)
    equal(connect().get("attempts"), b"2")


@scenario
def scheduled_jobs_run_when_due():
    """a scheduled job runs when it is due and not before"""
    # Schedules count whole seconds.
    queue = Queue(connection=connect())
    soon = queue.enqueue_in(timedelta(seconds=2), "rq_jobs.add", 1, 1)
    late = queue.enqueue_in(timedelta(hours=1), "rq_jobs.add", 2, 2)
    began = time.time()
    work(queue, with_scheduler=True)
    registry = ScheduledJobRegistry(queue=queue)
    equal(registry.get_job_ids(), [soon.id, late.id])
    until(lambda: work(queue, with_scheduler=True) and fetch(soon).is_finished)
    assert time.time() - began >= 0.9
    equal((fetch(soon).return_value(), registry.get_job_ids()), (2, [late.id]))


@scenario
def jobs_repeat():
    """a job repeats as often as it says"""
    queue = Queue(connection=connect())
    queue.enqueue("rq_jobs.note", "again", repeat=Repeat(times=2, interval=0))
    until(lambda: work(queue, with_scheduler=True) and connect().llen("notes") == 3)
    work(queue, with_scheduler=True)
    equal(connect().llen("notes"), 3)


@scenario
def dependents_wait_for_all_they_depend_on():
    """a job waits for all it depends on, and runs after a failure only where that is allowed"""
    queue = Queue(connection=connect())
    first, second = queue.enqueue("rq_jobs.note", "1"), queue.enqueue("rq_jobs.note", "2")
    after = queue.enqueue("rq_jobs.note", "3", depends_on=[first, second])
    last = queue.enqueue("rq_jobs.note", "4", depends_on=after)
    broken = queue.enqueue("rq_jobs.fail")
    never = queue.enqueue("rq_jobs.note", "never", depends_on=broken)
    anyway = queue.enqueue("rq_jobs.add", 1, 1, depends_on=Dependency(jobs=[broken], allow_failure=True))
    deferred = DeferredJobRegistry(queue=queue)
    equal(sorted(deferred.get_job_ids()), sorted([after.id, last.id, never.id, anyway.id]))
    work(queue)
    equal(connect().lrange("notes", 0, -1), [b"1", b"2", b"3", b"4"])
    equal([fetch(job).get_status() for job in (after, last, anyway)], ["finished"] * 3)
    equal((fetch(never).get_status(), deferred.get_job_ids()), ("deferred", [never.id]))


@scenario
def groups_know_their_jobs():
    """a group knows its jobs"""
    queue = Queue(connection=connect())
    group = Group.create(connection=connect(), name="four")
    data = [Queue.prepare_data("rq_jobs.add", (number, number)) for number in range(4)]
    group.enqueue_many(queue=queue, job_datas=data)
    work(queue)
    found = Group.fetch("four", connection=connect()).get_jobs()
    equal(sorted(job.return_value() for job in found), [0, 2, 4, 6])


@scenario
def a_running_job_can_be_stopped():
    """a worker that is told so by pub/sub stops the job it runs"""
    queue = Queue(connection=connect())
    job = queue.enqueue("rq_jobs.hang")

    def stop():
        until(lambda: connect().get("hanging"))
        send_stop_job_command(connect(), job.id)

    stopper = threading.Thread(target=stop)
    stopper.start()
    work(queue)
    stopper.join()
    equal((fetch(job).get_status(), FailedJobRegistry(queue=queue).get_job_ids()), ("stopped", [job.id]))


if __name__ == "__main__":
    main()
