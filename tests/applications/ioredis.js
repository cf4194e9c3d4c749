// ioredis and what stands on it: auto-pipelining, scan streams, reconnecting subscribers, Bull, rate limits, socket.io.
'use strict';

const Bull = require('bull');
const { createServer } = require('node:http');
const { Redis } = require('ioredis');
const { RateLimiterRedis, BurstyRateLimiter } = require('rate-limiter-flexible');
const { Server } = require('socket.io');
const { createAdapter } = require('@socket.io/redis-adapter');
const { io } = require('socket.io-client');
const { assert, closing, host, next, port, run, scenario, until } = require('./scenario');

function connect(options) {
  const client = closing(new Redis({ host, port, retryStrategy: () => 20, ...options }), (it) => it.disconnect());
  client.on('error', () => {});
  return client;
}

/** A scenario in both protocols. */
function both(name, body) {
  for (const protocol of [2, 3]) scenario(`${name} (RESP${protocol})`, () => body(protocol));
}

both('commands of one turn are pipelined by themselves', async (protocol) => {
  const client = connect({ enableAutoPipelining: true, protocol });
  const replies = await Promise.all(Array.from({ length: 3000 }, (_, at) => (at % 2 ? client.incr('n') : client.get('n'))));
  assert.equal(replies[2999], 1500);
  assert.equal(replies[2998], '1499');
  const failed = await Promise.allSettled([client.set('s', 'x'), client.incr('s'), client.get('s')]);
  assert.deepEqual(failed.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
});

both('pipelines and transactions give every reply its error', async (protocol) => {
  const client = connect({ protocol });
  const [set, broken, get] = await client.pipeline().set('a', 'x').incr('a').get('a').exec();
  assert.deepEqual([set, get], [[null, 'OK'], [null, 'x']]);
  assert.match(broken[0].message, /^ERR value is not an integer or out of range$/);
  assert.deepEqual(await client.multi().set('a', 1).incr('a').exec(), [[null, 'OK'], [null, 2]]);
  await assert.rejects(client.multi().set('a').exec(), /^ReplyError: EXECABORT/);
  await client.watch('a');
  await connect({ protocol }).set('a', 9);
  assert.equal(await client.multi().set('a', 10).exec(), null);
  await client.multi({ pipeline: false });
  assert.equal(await client.incr('a'), 'QUEUED');
  assert.deepEqual(await client.exec(), [[null, 10]]);
});

both('commands defined by scripts survive a flush of scripts', async (protocol) => {
  const client = connect({ protocol });
  client.defineCommand('take', {
    numberOfKeys: 1,
    lua: "local n = redis.call('GET', KEYS[1]); if tonumber(n or 0) < tonumber(ARGV[1]) then return nil end; return redis.call('DECRBY', KEYS[1], ARGV[1])",
  });
  await client.set('stock', 5);
  assert.deepEqual([await client.take('stock', 3), await client.take('stock', 3)], [2, null]);
  await client.script('FLUSH');
  assert.equal(await client.take('stock', 1), 1);
  const piped = await client.pipeline().set('stock', 10).take('stock', 4).takeBuffer('stock', 100).exec();
  assert.deepEqual(piped.map(([error, reply]) => [error, reply]), [[null, 'OK'], [null, 6], [null, null]]);
});

both('scan streams find everything', async (protocol) => {
  const client = connect({ protocol });
  const keys = Array.from({ length: 2500 }, (_, at) => `key:${at}`);
  await client.mset(...keys.flatMap((key) => [key, '1']));
  await client.zadd('zset', ...keys.flatMap((key, at) => [at, key]));
  const found = new Set();
  for await (const batch of client.scanStream({ match: 'key:*', count: 100 })) batch.forEach((key) => found.add(key));
  assert.deepEqual([...found].sort(), [...keys].sort());
  const members = new Map();
  for await (const batch of client.zscanStream('zset')) {
    for (let at = 0; at < batch.length; at += 2) members.set(batch[at], Number(batch[at + 1]));
  }
  assert.deepEqual([members.size, members.get('key:1234')], [2500, 1234]);
});

both('a subscriber that is cut off comes back with its subscriptions', async (protocol) => {
  const [subscriber, publisher] = [connect({ protocol }), connect({ protocol })];
  const heard = [];
  assert.equal(await subscriber.subscribe('a', 'b'), 2);
  assert.equal(await subscriber.psubscribe('p*'), 3);
  subscriber.on('message', (channel, message) => heard.push(`${channel} ${message}`));
  subscriber.on('pmessage', (pattern, channel, message) => heard.push(`${pattern} ${channel} ${message}`));
  assert.deepEqual([await publisher.publish('a', '1'), await publisher.publish('pp', '2')], [1, 1]);
  await until(() => heard.length === 2);
  const back = next(subscriber, 'ready');
  assert.equal(await publisher.client('KILL', 'TYPE', 'pubsub'), 1);
  await back;
  await until(async () => (await publisher.pubsub('NUMPAT')) === 1);
  assert.deepEqual(await publisher.pubsub('NUMSUB', 'a', 'b'), ['a', 1, 'b', 1]);
  await publisher.publish('b', '3');
  await until(() => heard.length === 3);
  assert.deepEqual(heard, ['a 1', 'p* pp 2', 'b 3']);
  if (protocol === 3) assert.equal(await subscriber.get('none'), null);
  else await assert.rejects(subscriber.get('none'), /subscriber mode/);
});

both('what a client waits for survives a reconnect', async (protocol) => {
  const [client, other] = [connect({ protocol }), connect({ protocol })];
  const id = await client.client('ID');
  const waiting = client.blpop('list', 20);
  await until(async () => /blocked_clients:1/.test(await other.info('clients')));
  await other.client('KILL', 'ID', id);
  await until(async () => /blocked_clients:1/.test(await other.info('clients')) && (await client.status) === 'ready');
  await other.rpush('list', 'x');
  assert.deepEqual(await waiting, ['list', 'x']);
});

both('a monitor sees what others do', async (protocol) => {
  const client = connect({ protocol });
  await client.ping();
  const monitor = closing(await client.monitor(), (it) => it.disconnect({ protocol }));
  const seen = next(monitor, 'monitor', (_, args) => args[0] === 'set');
  await client.set('a', 'b c');
  const [time, args, , database] = await seen;
  assert.deepEqual([args, database], [['set', 'a', 'b c'], '0']);
  assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60);
  // The library cannot read what comes after it has hung up by itself: the server has to hang up.
  monitor.options.retryStrategy = () => null;
  const [, id] = (await client.client('LIST')).match(/^id=(\d+) .* flags=O /m);
  const end = next(monitor, 'end');
  assert.equal(await client.client('KILL', 'ID', id), 1);
  await end;
});

scenario('Bull runs, delays, retries and repeats its jobs', async () => {
  const queue = closing(new Bull('classic', { redis: { host, port } }));
  const seen = [];
  let tries = 0;
  queue.process('sum', 4, async ({ data }) => data.left + data.right);
  queue.process('note', async ({ data }) => { seen.push(data); });
  queue.process('broken', async () => { throw new Error('always'); });
  queue.process('shaky', async () => { tries += 1; if (tries < 3) throw new Error('ill'); return tries; });
  const job = await queue.add('sum', { left: 2, right: 3 });
  assert.equal(await job.finished(), 5);
  await queue.add('note', 'late', { delay: 200 });
  await queue.add('note', 'low', { priority: 9 });
  assert.equal(await (await queue.add('shaky', {}, { attempts: 3, backoff: 20 })).finished(), 3);
  await until(() => seen.length === 2);
  assert.deepEqual(seen, ['low', 'late']);
  await queue.add('note', 'again', { repeat: { every: 100, limit: 2 } });
  await until(() => seen.length === 4);
  await until(async () => (await queue.getJobCounts()).completed === 6);
  await assert.rejects((await queue.add('broken', {})).finished(), /always/);
  await queue.pause();
  const held = await queue.add('sum', { left: 1, right: 1 });
  assert.equal(await held.getState(), 'paused');
  await queue.resume();
  assert.equal(await held.finished(), 2);
});

scenario('a rate limiter lets through what it should', async () => {
  const client = connect();
  const limiter = new RateLimiterRedis({ storeClient: client, points: 5, duration: 1, keyPrefix: 'fixed' });
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => limiter.consume('user')));
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 5);
  const refused = tries.find(({ status }) => status === 'rejected').reason;
  assert.ok(refused.msBeforeNext > 0 && refused.msBeforeNext <= 1_000 && refused.remainingPoints === 0);
  await until(() => limiter.consume('user').then(() => true, () => false));
  await limiter.block('user', 10);
  assert.ok((await limiter.get('user')).msBeforeNext > 5_000);
  await limiter.delete('user');
  assert.equal((await limiter.penalty('user', 2)).consumedPoints, 2);
  assert.equal((await limiter.reward('user', 1)).consumedPoints, 1);
  const burst = new RateLimiterRedis({ storeClient: client, points: 3, duration: 10, keyPrefix: 'burst' });
  const both = new BurstyRateLimiter(new RateLimiterRedis({ storeClient: client, points: 2, duration: 10 }), burst);
  const bursts = await Promise.allSettled(Array.from({ length: 9 }, () => both.consume('user')));
  assert.equal(bursts.filter(({ status }) => status === 'fulfilled').length, 5);
});

scenario('two socket.io servers speak to each other\'s clients', async () => {
  const servers = [];
  for (let count = 0; count < 2; count += 1) {
    const http = createServer();
    const server = closing(new Server(http, { adapter: createAdapter(connect(), connect()) }));
    server.on('connection', (socket) => socket.on('join', (room, done) => { socket.join(room); done(); }));
    await new Promise((resolve) => http.listen(0, host, resolve));
    servers.push({ server, url: `http://${host}:${http.address().port}` });
  }
  const [near, far] = servers.map(({ url }) => closing(io(url, { transports: ['websocket'] })));
  await Promise.all([next(near, 'connect'), next(far, 'connect')]);
  await until(async () => (await servers[0].server.of('/').adapter.serverCount()) === 2);
  await far.emitWithAck('join', 'room').catch(() => {});
  const heard = Promise.all([next(near, 'hello'), next(far, 'hello')]);
  servers[0].server.emit('hello', { to: 'all' });
  assert.deepEqual(await heard, [[{ to: 'all' }], [{ to: 'all' }]]);
  const alone = next(far, 'secret');
  near.on('secret', () => assert.fail('it is not in the room'));
  servers[0].server.to('room').emit('secret', 1, Buffer.from([0, 255]));
  assert.deepEqual((await alone).map((it) => (Buffer.isBuffer(it) ? [...it] : it)), [1, [0, 255]]);
  assert.equal((await servers[0].server.fetchSockets()).length, 2);
  servers[0].server.socketsLeave('room');
  await until(async () => (await servers[1].server.in('room').fetchSockets()).length === 0);
});

run();
