// node-redis: the client-side cache, transactions, pub/sub, scan iterators, pools that block, scripts and functions.
'use strict';

const { createClient, createClientPool, defineScript, BasicClientSideCache, WatchError, ErrorReply } = require('redis');
const { assert, closing, host, port, run, scenario, until } = require('./scenario');

const socket = { host, port };

async function connect(options) {
  const client = closing(createClient({ socket, RESP: 3, ...options }), (it) => it.isOpen && it.destroy());
  client.on('error', () => {});
  return client.connect();
}

/** How often the server has run a command since the last CONFIG RESETSTAT. */
async function calls(client, command) {
  const found = (await client.info('commandstats')).match(`cmdstat_${command}:calls=(\\d+)`);
  return found ? Number(found[1]) : 0;
}

const number = (count, prefix) => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

/** A scenario in both protocols. */
function both(name, body) {
  for (const RESP of [2, 3]) scenario(`${name} (RESP${RESP})`, () => body(RESP));
}

scenario('the client-side cache answers without the server until a key changes', async () => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: 'LRU' });
  const [cached, other] = [await connect({ clientSideCache: cache }), await connect()];
  await other.configResetStat();
  await other.set('a', '1');
  for (let count = 0; count < 10; count += 1) assert.equal(await cached.get('a'), '1');
  assert.equal(await calls(other, 'get'), 1);
  assert.deepEqual([cache.stats().hitCount, cache.stats().missCount, cache.size()], [9, 1, 1]);
  await other.set('a', '2');
  await until(async () => (await cached.get('a')) === '2');
  assert.equal(await calls(other, 'get'), 2);
  await cached.set('a', '3');
  await until(async () => (await cached.get('a')) === '3');
});

scenario('whatever changes a key invalidates it: transactions, scripts, expiry, flushes', async () => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: 'LRU' });
  const [cached, other] = [await connect({ clientSideCache: cache }), await connect()];
  await other.hSet('h', { f: '1' });
  const seen = async () => ({ ...(await cached.hGetAll('h')) });
  assert.deepEqual(await seen(), { f: '1' });
  await other.multi().hSet('h', 'f', '2').set('x', '1').exec();
  await until(async () => (await seen()).f === '2');
  await other.eval("redis.call('HSET', KEYS[1], 'f', ARGV[1])", { keys: ['h'], arguments: ['3'] });
  await until(async () => (await seen()).f === '3');
  await other.pExpire('h', 40);
  await until(async () => Object.keys(await seen()).length === 0);
  await other.rename('x', 'h2');
  assert.equal(await cached.get('h2'), '1');
  await other.flushAll();
  await until(async () => (await cached.get('h2')) === null);
  assert.deepEqual(await cached.mGet(['p', 'q']), [null, null]);
  await other.mSet({ p: '1', q: '2' });
  await until(async () => (await cached.mGet(['p', 'q'])).join() === '1,2');
  assert.ok(cache.size() > 0);
});

scenario('a cache that lost its connection starts anew', async () => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: 'LRU' });
  const [cached, other] = [await connect({ clientSideCache: cache }), await connect()];
  await other.set('a', '1');
  assert.equal(await cached.get('a'), '1');
  assert.equal(await other.clientKill({ filter: 'ID', id: await cached.clientId() }), 1);
  await other.set('a', '2');
  await until(async () => (await cached.get('a').catch(() => '')) === '2');
  await other.set('a', '3');
  await until(async () => (await cached.get('a')) === '3');
});

scenario('a cache with a bound forgets the oldest', async () => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 10, evictPolicy: 'LRU' });
  const cached = await connect({ clientSideCache: cache });
  for (const key of number(50, 'k')) await cached.get(key);
  assert.deepEqual([cache.size(), cache.stats().evictionCount], [10, 40]);
});

scenario('the clients of a pool share a cache', async () => {
  const options = { clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' }, minimum: 3, maximum: 3 };
  const pool = closing(createClientPool({ socket, RESP: 3 }, options), (it) => it.destroy());
  await pool.connect();
  const other = await connect();
  await other.mSet(number(20, 'k').flatMap((key) => [key, '1']));
  const all = () => Promise.all(number(20, 'k').map((key) => pool.get(key)));
  assert.equal(new Set(await all()).size, 1);
  await other.configResetStat();
  assert.equal(new Set(await all()).size, 1);
  assert.equal(await calls(other, 'get'), 0);
  await other.mSet(number(20, 'k').flatMap((key) => [key, '2']));
  await until(async () => (await all()).every((value) => value === '2'));
});

both('a transaction gives its replies, and none when a watched key changed', async (RESP) => {
  const [client, other] = [await connect({ RESP }), await connect()];
  assert.deepEqual(await client.multi().set('a', '1').incr('a').get('a').exec(), ['OK', 2, '2']);
  await client.watch('a');
  await other.set('a', '5');
  await assert.rejects(client.multi().set('a', '6').exec(), WatchError);
  assert.equal(await client.get('a'), '5');
  await client.watch('a');
  await client.unwatch();
  await other.set('a', '7');
  assert.deepEqual(await client.multi().incr('a').exec(), [8]);
  const failed = await client.multi().lPush('a', '1').incr('a').exec().catch((error) => error);
  assert.match(String(failed.replies[0]), /WRONGTYPE/);
  assert.equal(failed.replies[1], 9);
  await assert.rejects(client.multi().addCommand(['NONSENSE']).set('a', '0').exec(), ErrorReply);
  assert.equal(await client.get('a'), '9');
});

both('transactions of a pool lose no update', async (RESP) => {
  const pool = closing(createClientPool({ socket, RESP }, { minimum: 1, maximum: 8 }), (it) => it.destroy());
  await pool.connect();
  const add = () => pool.execute(async (client) => {
    for (;;) {
      await client.watch('n');
      const value = Number(await client.get('n'));
      try {
        return await client.multi().set('n', String(value + 1)).exec();
      } catch (error) {
        if (!(error instanceof WatchError)) throw error;
      }
    }
  });
  await Promise.all(number(100, '').map(add));
  assert.equal(await pool.get('n'), '100');
});

both('a client in the subscriber state hears channels, patterns and shards', async (RESP) => {
  const [subscriber, publisher] = [await connect({ RESP }), await connect({ RESP })];
  const heard = [];
  const hear = (message, channel) => heard.push(`${channel}=${message}`);
  await subscriber.subscribe(['a', 'b'], hear);
  await subscriber.pSubscribe('a*', hear);
  await subscriber.sSubscribe('s', hear);
  assert.deepEqual([await publisher.publish('a', '1'), await publisher.publish('b', '2')], [2, 1]);
  assert.equal(await publisher.sPublish('s', '3'), 1);
  await until(() => heard.length === 4);
  assert.deepEqual(heard, ['a=1', 'a=1', 'b=2', 's=3']);
  if (RESP === 3) assert.equal(await subscriber.echo('beside'), 'beside');
  assert.match(await subscriber.ping(), /^pong$/i);
  await subscriber.unsubscribe('a');
  await subscriber.pUnsubscribe();
  assert.equal(await publisher.publish('a', '4'), 0);
  await subscriber.unsubscribe();
  await subscriber.sUnsubscribe();
  assert.equal(String(await subscriber.set('free', 'again')), 'OK');
});

scenario('a subscriber that is cut off subscribes again', async () => {
  const [subscriber, publisher] = [await connect(), await connect()];
  const heard = [];
  await subscriber.subscribe('a', (message) => heard.push(message));
  assert.equal(await publisher.clientKill({ filter: 'TYPE', type: 'PUBSUB' }), 1);
  await until(async () => (await publisher.publish('a', 'back')) === 1);
  await until(() => heard.includes('back'));
});

both('iterators find every key, field, member', async (RESP) => {
  const client = await connect({ RESP });
  const keys = number(2000, 'key:');
  await client.mSet(keys.flatMap((key) => [key, '1']));
  await client.hSet('hash', Object.fromEntries(number(1000, 'f').map((field) => [field, field])));
  await client.sAdd('set', number(1000, 'm'));
  await client.zAdd('zset', number(1000, 'm').map((value, score) => ({ value, score })));
  const all = async (iterator) => {
    const found = [];
    for await (const batch of iterator) found.push(...batch);
    return found;
  };
  const sorted = (list) => [...new Set(list)].sort();
  assert.deepEqual(sorted(await all(client.scanIterator({ MATCH: 'key:*', COUNT: 100 }))), [...keys].sort());
  assert.deepEqual(await all(client.scanIterator({ TYPE: 'zset', COUNT: 1000 })), ['zset']);
  const fields = await all(client.hScanIterator('hash'));
  assert.ok(fields.every(({ field, value }) => field === value));
  assert.equal(new Set(fields.map(({ field }) => field)).size, 1000);
  assert.deepEqual(sorted(await all(client.sScanIterator('set'))), number(1000, 'm').sort());
  const members = await all(client.zScanIterator('zset', { MATCH: 'm99*' }));
  assert.deepEqual(sorted(members.map(({ value, score }) => `${value}=${score}`)), [
    'm99=99', ...number(10, 'm99').map((name) => `${name}=${name.slice(1)}`),
  ].sort());
});

both('the clients of a pool can block without holding up each other', async (RESP) => {
  const pool = closing(createClientPool({ socket, RESP }, { minimum: 1, maximum: 10 }), (it) => it.destroy());
  await pool.connect();
  const other = await connect();
  const waiting = number(8, 'list').map((key) => pool.execute((client) => client.blPop(key, 20)));
  const scored = pool.execute((client) => client.bzPopMin('scores', 20));
  await until(async () => /blocked_clients:9/.test(await other.info('clients')));
  assert.equal(await pool.ping(), 'PONG');
  for (const key of number(8, 'list')) await other.rPush(key, `${key}!`);
  await other.zAdd('scores', [{ value: 'low', score: 1.5 }, { value: 'high', score: 2 }]);
  const got = (await Promise.all(waiting)).map(({ key, element }) => `${key} ${element}`);
  assert.deepEqual(got, number(8, 'list').map((key) => `${key} ${key}!`));
  assert.deepEqual({ ...(await scored) }, { key: 'scores', value: 'low', score: 1.5 });
  assert.equal(await pool.execute((client) => client.blPop('none', 0.05)), null);
});

both('scripts are sent once and then named by their hash', async (RESP) => {
  const add = defineScript({
    NUMBER_OF_KEYS: 1,
    SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    parseCommand(parser, key, by) {
      parser.pushKey(key);
      parser.push(String(by));
    },
    transformReply: (reply) => reply,
  });
  const client = await connect({ RESP, scripts: { add } });
  await client.scriptFlush();
  await client.configResetStat();
  assert.deepEqual([await client.add('n', 2), await client.add('n', 3)], [2, 5]);
  assert.deepEqual([await calls(client, 'eval'), await calls(client, 'evalsha')], [1, 2]);
  await client.scriptFlush();
  assert.deepEqual(await client.multi().set('n', '1').add('n', 1).exec(), ['OK', 2]);
  assert.equal(await client.eval('return redis.sha1hex(ARGV[1])', { arguments: [add.SCRIPT] }), add.SHA1);
});

both('functions are loaded, listed and called', async (RESP) => {
  const code = `#!lua name=shop
redis.register_function{function_name='sell', callback=function(keys, argv)
  if tonumber(redis.call('GET', keys[1])) < tonumber(argv[1]) then return redis.error_reply('SOLD out') end
  return redis.call('DECRBY', keys[1], argv[1])
end}
redis.register_function{function_name='left', callback=function(keys) return redis.call('GET', keys[1]) end, flags={'no-writes'}}`;
  const client = await connect({ RESP });
  await client.functionFlush();
  assert.equal(await client.functionLoad(code), 'shop');
  const [library] = await client.functionList();
  assert.deepEqual([library.library_name, library.functions.map(({ name }) => name).sort()], ['shop', ['left', 'sell']]);
  await client.set('apples', '5');
  assert.equal(await client.fCall('sell', { keys: ['apples'], arguments: ['3'] }), 2);
  await assert.rejects(client.fCall('sell', { keys: ['apples'], arguments: ['3'] }), /SOLD out/);
  assert.equal(await client.fCallRo('left', { keys: ['apples'] }), '2');
  await assert.rejects(client.fCallRo('sell', { keys: ['apples'], arguments: ['1'] }), /Can not execute a script with write flag/);
  await client.functionFlush();
});

both('many commands of one turn go as one pipeline and come back in order', async (RESP) => {
  const client = await connect({ RESP });
  const replies = await Promise.all(number(5000, '').map(() => client.incr('n')));
  assert.deepEqual(replies, number(5000, '').map((_, at) => at + 1));
  const big = 'x'.repeat(3_000_000);
  const [, got, length] = await Promise.all([client.set('big', big), client.get('big'), client.strLen('big')]);
  assert.ok(got === big && length === big.length);
});

both('streams are read by groups, blocking', async (RESP) => {
  const [reader, writer] = [await connect({ RESP }), await connect({ RESP })];
  await writer.xGroupCreate('s', 'g', '$', { MKSTREAM: true });
  const waiting = reader.xReadGroup('g', 'c', { key: 's', id: '>' }, { BLOCK: 20_000, COUNT: 10 });
  await until(async () => /blocked_clients:1/.test(await writer.info('clients')));
  const id = await writer.xAdd('s', '*', { a: '1', b: '2' });
  const [stream] = await waiting;
  assert.equal(stream.name, 's');
  assert.deepEqual(stream.messages.map((entry) => [entry.id, { ...entry.message }]), [[id, { a: '1', b: '2' }]]);
  assert.equal((await writer.xPending('s', 'g')).pending, 1);
  assert.equal(await reader.xAck('s', 'g', id), 1);
  assert.equal(await reader.xRead({ key: 's', id: '$' }, { BLOCK: 10 }), null);
});

run();
