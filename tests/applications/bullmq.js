// BullMQ: queues of which every step is a Lua script; flows, delays, schedules, limits, priorities, stalled jobs, events.
'use strict';

const { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } = require('bullmq');
const { createClient } = require('redis');
const { assert, closing, host, next, port, run, scenario, until } = require('./scenario');

const connection = { host, port, maxRetriesPerRequest: null };

const open = (name, options) => closing(new Queue(name, { connection, ...options }));

/** A worker whose processor is `work`; it ends with the scenario. */
function worker(name, work, options) {
  const made = new Worker(name, work, { connection, drainDelay: 1, ...options });
  made.on('error', (error) => console.log(`worker: ${error.stack}`));
  return closing(made, (it) => it.close(true));
}

/** All events of a queue, those before the first read too. */
async function events(name) {
  const made = closing(new QueueEvents(name, { connection, lastEventId: '0' }));
  await made.waitUntilReady();
  return made;
}

const words = (length) => Array.from({ length }, (_, number) => ({ name: 'word', data: { number } }));
const counts = (queue) => queue.getJobCounts('wait', 'active', 'delayed', 'completed', 'failed', 'prioritized');
const finished = (queue, count) => until(async () => (await queue.getCompletedCount()) === count);

scenario('a job runs once and its result comes back', async () => {
  const queue = open('simple');
  const heard = await events('simple');
  const job = await queue.add('sum', { left: 2, right: 3 });
  assert.equal(await job.getState(), 'waiting');
  worker('simple', async ({ data }) => ({ sum: data.left + data.right }));
  assert.deepEqual(await job.waitUntilFinished(heard), { sum: 5 });
  const kept = await queue.getJob(job.id);
  assert.deepEqual([kept.returnvalue, kept.attemptsMade, await kept.getState()], [{ sum: 5 }, 1, 'completed']);
  assert.ok(kept.finishedOn >= kept.processedOn && kept.processedOn >= kept.timestamp);
});

scenario('many jobs in bulk are done by several workers, each once, in order of arrival', async () => {
  const queue = open('bulk');
  const seen = [];
  const jobs = await queue.addBulk(words(300));
  assert.deepEqual(jobs.map((job) => job.id), jobs.map((_, at) => String(at + 1)));
  assert.equal((await counts(queue)).wait, 300);
  for (let count = 0; count < 3; count += 1) {
    worker('bulk', async ({ data }) => seen.push(data.number), { concurrency: 10 });
  }
  await finished(queue, 300);
  assert.deepEqual([...seen].sort((left, right) => left - right), words(300).map(({ data }) => data.number));
  assert.equal((await counts(queue)).wait, 0);
});

scenario('as many jobs run at once as the concurrency says', async () => {
  const queue = open('concurrent');
  await queue.addBulk(words(9));
  let running = 0;
  let most = 0;
  let release;
  const full = new Promise((resolve) => { release = resolve; });
  worker('concurrent', async () => {
    running += 1;
    most = Math.max(most, running);
    if (running === 3) release();
    await full;
    running -= 1;
  }, { concurrency: 3 });
  await finished(queue, 9);
  assert.equal(most, 3);
});

scenario('a queue-wide concurrency holds over all workers', async () => {
  const queue = open('global');
  await queue.setGlobalConcurrency(1);
  await queue.addBulk(words(10));
  let running = 0;
  for (let count = 0; count < 3; count += 1) {
    worker('global', async () => {
      running += 1;
      assert.equal(running, 1);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
  }
  await finished(queue, 10);
  assert.equal(await queue.getFailedCount(), 0);
});

scenario('a parent of a flow runs after all its children', async () => {
  const order = [];
  const [parents, children] = [open('parents'), open('children')];
  const flow = closing(new FlowProducer({ connection }));
  const leaf = (name) => ({ name, queueName: 'children', data: { name } });
  const tree = await flow.add({
    name: 'root',
    queueName: 'parents',
    children: [{ name: 'middle', queueName: 'parents', children: [leaf('a'), leaf('b')] }, leaf('c')],
  });
  assert.equal(await tree.job.getState(), 'waiting-children');
  worker('children', async ({ data }) => { order.push(data.name); return data.name.toUpperCase(); });
  worker('parents', async (job) => {
    order.push(job.name);
    return Object.values(await job.getChildrenValues()).sort().join('');
  });
  await finished(parents, 2);
  assert.equal((await parents.getJob(tree.job.id)).returnvalue, 'ABC');
  assert.equal(await children.getCompletedCount(), 3);
  assert.deepEqual([...order].sort(), ['a', 'b', 'c', 'middle', 'root']);
  assert.equal(order.at(-1), 'root');
  assert.ok(order.indexOf('middle') > Math.max(order.indexOf('a'), order.indexOf('b')));
  const found = await flow.getFlow({ id: tree.job.id, queueName: 'parents' });
  assert.equal(found.children.length, 2);
});

scenario('a child that fails can fail its parent, or be ignored by it', async () => {
  const parents = open('parents');
  const flow = closing(new FlowProducer({ connection }));
  const family = (opts) => flow.add({
    name: 'root', queueName: 'parents', children: [{ name: 'broken', queueName: 'children', opts }],
  });
  const failing = await family({ failParentOnFailure: true });
  const ignoring = await family({ ignoreDependencyOnFailure: true });
  worker('children', async () => { throw new Error('always'); });
  worker('parents', async (job) => Object.values(await job.getIgnoredChildrenFailures()));
  await until(async () => (await failing.job.isFailed()) && (await ignoring.job.isCompleted()));
  assert.match((await parents.getJob(failing.job.id)).failedReason, /child .* failed/);
  assert.deepEqual((await parents.getJob(ignoring.job.id)).returnvalue, ['always']);
});

scenario('a delayed job waits for its time, unless it is promoted', async () => {
  const queue = open('delayed');
  const ran = new Map();
  const asked = Date.now();
  await queue.add('late', {}, { delay: 600 });
  await queue.add('soon', {}, { delay: 200 });
  const promoted = await queue.add('promoted', {}, { delay: 3_600_000 });
  const moved = await queue.add('moved', {}, { delay: 3_600_000 });
  assert.equal((await counts(queue)).delayed, 4);
  worker('delayed', async ({ name }) => ran.set(name, Date.now() - asked));
  await promoted.promote();
  await moved.changeDelay(300);
  await finished(queue, 4);
  assert.deepEqual([...ran.keys()].slice(0, 1), ['promoted']);
  assert.ok(ran.get('soon') >= 200 && ran.get('late') >= 600 && ran.get('moved') >= 300, JSON.stringify([...ran]));
  assert.equal([...ran.keys()].at(-1), 'late');
});

scenario('a job scheduler repeats its job', async () => {
  const queue = open('repeated');
  const times = [];
  await queue.upsertJobScheduler('often', { every: 200, limit: 4 }, { name: 'tick', data: { of: 'clock' } });
  await queue.upsertJobScheduler('nightly', { pattern: '0 0 3 * * *', tz: 'Europe/Paris' }, { name: 'night' });
  assert.equal(await queue.getJobSchedulersCount(), 2);
  worker('repeated', async ({ name, data }) => {
    assert.deepEqual([name, data], ['tick', { of: 'clock' }]);
    times.push(Date.now());
  });
  await finished(queue, 4);
  assert.equal(await queue.getFailedCount(), 0);
  assert.ok(times.at(-1) - times[0] >= 400, JSON.stringify(times));
  const night = await queue.getJobScheduler('nightly');
  assert.ok(night.next > Date.now() && night.pattern === '0 0 3 * * *');
  assert.equal(await queue.removeJobScheduler('nightly'), true);
  assert.equal(await queue.getJobScheduler('nightly'), undefined);
  assert.equal((await counts(queue)).delayed, 0);
});

scenario('a rate limit spreads jobs over time', async () => {
  const queue = open('limited');
  const times = [];
  await queue.addBulk(words(6));
  worker('limited', async () => times.push(Date.now()), { concurrency: 6, limiter: { max: 2, duration: 300 } });
  await finished(queue, 6);
  assert.ok(times[2] - times[0] >= 290 && times[4] - times[2] >= 290, JSON.stringify(times));
  assert.ok(times[5] - times[0] < 10_000, JSON.stringify(times));
});

scenario('a worker that says so is rate limited by hand', async () => {
  const queue = open('by-hand');
  const began = [];
  await queue.add('one', {});
  const limited = worker('by-hand', async () => {
    began.push(Date.now());
    if (began.length === 1) {
      await limited.rateLimit(300);
      throw Worker.RateLimitError();
    }
  }, { limiter: { max: 10, duration: 1_000 } });
  await finished(queue, 1);
  assert.equal(began.length, 2);
  assert.ok(began[1] - began[0] >= 290, JSON.stringify(began));
});

scenario('jobs of a higher priority come first, those of the same in order', async () => {
  const queue = open('priorities');
  const order = [];
  for (const [name, priority] of [['e', 20], ['c', 5], ['d', 5], ['b', 1], ['a', 0], ['f', 2_000_000]]) {
    await queue.add(name, {}, { priority });
  }
  assert.deepEqual(await queue.getCountsPerPriority([0, 1, 5, 20]), { 0: 1, 1: 1, 5: 2, 20: 1 });
  await (await queue.getPrioritized()).find((job) => job.name === 'f').changePriority({ priority: 3 });
  worker('priorities', async ({ name }) => order.push(name));
  await finished(queue, 6);
  assert.deepEqual(order, ['a', 'b', 'f', 'c', 'd', 'e']);
});

scenario('the last job can be taken first', async () => {
  const queue = open('stack');
  const order = [];
  for (const name of ['a', 'b', 'c']) await queue.add(name, {}, { lifo: true });
  worker('stack', async ({ name }) => order.push(name));
  await finished(queue, 3);
  assert.deepEqual(order, ['c', 'b', 'a']);
});

scenario('a job that fails is tried again with backoff, and can be retried by hand', async () => {
  const queue = open('retries');
  const times = [];
  let healthy = false;
  const job = await queue.add('x', {}, { attempts: 3, backoff: { type: 'exponential', delay: 100 } });
  const final = await queue.add('final', {}, { attempts: 3 });
  worker('retries', async ({ name }) => {
    if (name === 'final') throw new UnrecoverableError('no use');
    times.push(Date.now());
    if (!healthy) throw new Error('ill');
  });
  await until(async () => (await queue.getFailedCount()) === 2);
  assert.ok(times[1] - times[0] >= 100 && times[2] - times[1] >= 200, JSON.stringify(times));
  const failed = await queue.getJob(job.id);
  assert.deepEqual([failed.failedReason, failed.attemptsMade, failed.stacktrace.length], ['ill', 3, 3]);
  assert.equal((await queue.getJob(final.id)).attemptsMade, 1);
  healthy = true;
  await failed.retry();
  await finished(queue, 1);
  assert.equal(times.length, 4);
});

scenario('a stalled job is found and given to another worker', async () => {
  const queue = open('stalled');
  const heard = await events('stalled');
  const job = await queue.add('x', {});
  // Takes the job and then neither ends nor renews its lock.
  const dead = worker('stalled', null, { lockDuration: 200, skipLockRenewal: true, autorun: false });
  assert.equal((await dead.getNextJob('nobody')).id, job.id);
  assert.equal(await job.getState(), 'active');
  const stalled = next(heard, 'stalled');
  const living = worker('stalled', async () => 'done', { stalledInterval: 100 });
  assert.equal((await stalled)[0].jobId, job.id);
  assert.equal(await job.waitUntilFinished(heard), 'done');
  assert.equal((await queue.getJob(job.id)).stalledCounter, 1);
  assert.ok(living.isRunning());
});

scenario('a lock that is lost cannot be used', async () => {
  const queue = open('locks');
  await queue.add('x', {});
  const by = worker('locks', null, { autorun: false });
  const job = await by.getNextJob('mine');
  assert.equal(await job.extendLock('mine', 10_000), 1);
  await assert.rejects(job.moveToCompleted('r', 'theirs', false), /lock/i);
  await job.moveToCompleted('r', 'mine', false);
  await assert.rejects(job.moveToCompleted('r', 'mine', false), /lock/i);
  assert.equal(await job.getState(), 'completed');
});

scenario('the stream of events tells what happens, in order', async () => {
  const queue = open('told');
  const heard = await events('told');
  const told = [];
  for (const name of ['added', 'waiting', 'active', 'progress', 'completed', 'failed']) {
    heard.on(name, (event) => told.push(`${name} ${event.jobId}`));
  }
  await queue.add('x', {});
  const done = next(heard, 'completed');
  worker('told', async (job) => {
    await job.updateProgress({ percent: 50 });
    await job.log('half');
    return 1;
  });
  const [event] = await done;
  assert.deepEqual([event.jobId, event.returnvalue, event.prev], ['1', 1, 'active']);
  assert.deepEqual(told, ['added 1', 'waiting 1', 'active 1', 'progress 1', 'completed 1']);
  assert.deepEqual((await queue.getJobLogs('1')).logs, ['half']);
  assert.deepEqual((await queue.getJob('1')).progress, { percent: 50 });
});

scenario('a paused queue gives nothing until it is resumed', async () => {
  const queue = open('paused');
  const heard = await events('paused');
  const ran = [];
  const paused = next(heard, 'paused');
  await queue.pause();
  await paused;
  assert.equal(await queue.isPaused(), true);
  const by = worker('paused', async ({ name }) => ran.push(name));
  await by.waitUntilReady();
  await queue.addBulk(words(3));
  await queue.add('promoted', {}, { priority: 1 });
  assert.deepEqual([ran, await queue.getCompletedCount()], [[], 0]);
  const resumed = next(heard, 'resumed');
  await queue.resume();
  await resumed;
  await finished(queue, 4);
  assert.equal(await queue.isPaused(), false);
});

scenario('a waiting worker is woken by what is added', async () => {
  const queue = open('woken');
  const by = worker('woken', async () => 'woken', { drainDelay: 60 });
  await by.waitUntilReady();
  const probe = closing(createClient({ socket: { host, port } }), (it) => it.destroy());
  await probe.connect();
  await until(async () => /cmd=bzpopmin/.test(await probe.sendCommand(['CLIENT', 'LIST'])));
  const heard = await events('woken');
  const job = await queue.add('x', {});
  assert.equal(await job.waitUntilFinished(heard), 'woken');
});

scenario('the same job is not added twice while it is deduplicated', async () => {
  const queue = open('once');
  const heard = await events('once');
  const again = next(heard, 'deduplicated');
  const first = await queue.add('x', { a: 1 }, { deduplication: { id: 'same', ttl: 60_000 } });
  const second = await queue.add('x', { a: 2 }, { deduplication: { id: 'same', ttl: 60_000 } });
  assert.deepEqual([second.id, (await again)[0].deduplicationId], [first.id, 'same']);
  assert.equal((await queue.add('y', {}, { jobId: 'own' })).id, 'own');
  await queue.add('y', {}, { jobId: 'own' });
  assert.equal((await counts(queue)).wait, 2);
  assert.equal(await queue.removeDeduplicationKey('same'), 1);
  assert.notEqual((await queue.add('x', {}, { deduplication: { id: 'same' } })).id, first.id);
});

scenario('what is over is removed, cleaned and emptied', async () => {
  const queue = open('cleaned');
  await queue.addBulk(words(10));
  const by = worker('cleaned', async ({ data }) => {
    if (data.number >= 8) throw new Error('late');
  }, { removeOnComplete: { count: 5 } });
  await until(async () => (await queue.getFailedCount()) === 2);
  await finished(queue, 5);
  await by.close();
  assert.equal((await queue.clean(0, 100, 'failed')).length, 2);
  await queue.addBulk(words(3));
  await queue.drain();
  assert.deepEqual(await counts(queue), { wait: 0, active: 0, delayed: 0, completed: 5, failed: 0, prioritized: 0 });
  await queue.obliterate();
  const probe = closing(createClient({ socket: { host, port } }), (it) => it.destroy());
  await probe.connect();
  assert.deepEqual(await probe.keys('bull:cleaned:*'), []);
});

scenario('the same works over node-redis', async () => {
  const client = closing(createClient({ socket: { host, port } }), (it) => it.isOpen && it.destroy());
  await client.connect();
  const queue = open('over', { connection: client });
  await queue.addBulk(words(20));
  const job = await queue.add('late', {}, { delay: 100 });
  worker('over', async ({ data }) => data.number ?? 'late', { connection: client });
  await finished(queue, 21);
  assert.equal((await queue.getJob(job.id)).returnvalue, 'late');
});

run();
