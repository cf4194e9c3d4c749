// Runs the scenarios of one application, one after the other, each on an empty server: what scenario.py is for Python.
'use strict';

const assert = require('node:assert/strict');
const { createClient } = require('redis');

const host = '127.0.0.1';
const port = Number(process.env.SERVER_PORT);
// Milliseconds; longer than anything takes on a busy machine.
const PATIENCE = 30_000;

const scenarios = [];
let closers = [];

/** Adds a scenario: its name and an async function. */
function scenario(name, body) {
  scenarios.push({ name, body });
}

/** Ends with the scenario, whatever becomes of it: anything with `close` (or the way given). */
function closing(thing, close = (it) => it.close()) {
  closers.push(() => close(thing));
  return thing;
}

/** Waits for what sends no event; what `condition` gave when it was true at last. */
async function until(condition, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    const got = await condition();
    if (got) return got;
    assert.ok(Date.now() < deadline, `still ${JSON.stringify(got)} after ${patience} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The arguments of the next `event` that `accepts` them. */
function next(emitter, event, accepts = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(() => reject(new Error(`no ${event} within ${PATIENCE} ms`))), PATIENCE);
    const listener = (...given) => accepts(...given) && done(() => resolve(given));
    const done = (then) => {
      clearTimeout(timer);
      emitter.off(event, listener);
      then();
    };
    emitter.on(event, listener);
  });
}

async function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE} ms`)), PATIENCE);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function flush() {
  const client = createClient({ socket: { host, port } });
  await client.connect();
  await client.flushAll();
  client.destroy();
}

/** Runs every scenario, or those whose name contains a word of the command line; the exit status says how it went. */
async function run() {
  const words = process.argv.slice(2);
  let passed = 0;
  let failed = 0;
  for (const { name, body } of scenarios) {
    if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
    await flush();
    const began = Date.now();
    closers = [];
    try {
      await within(body());
      passed += 1;
      console.log(`passed ${name} (${(Date.now() - began) / 1000} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}\n${error.stack}`);
    }
    for (const close of closers.reverse()) {
      await within(Promise.resolve(close())).catch((error) => console.log(`closing: ${error.message}`));
    }
  }
  console.log(`${passed} scenarios passed, ${failed} failed`);
  // Timers that an application leaves behind must not keep the script.
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

process.on('unhandledRejection', (error) => {
  console.log(`FAILED: a rejection that nobody handles\n${error.stack}`);
  process.exit(1);
});

module.exports = { assert, closing, host, next, port, run, scenario, until };
