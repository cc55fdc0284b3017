'use strict';
// An outside system at its end of the hub's events, with its credentials file and nothing else.
// Shows first what that file does not open, then takes the events of its one durable.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { AckPolicy, Match, connect, createInbox, nanos } = require('nats');
const { check, until, run } = require('./check');

// What an outside system is given, and keeps: credentials/, tokens/, and its own store/.
const FOLDER = process.env.OUTSIDE;
const PATIENCE = 5000;

class Tenant {
  static async open(name) {
    const file = path.join(FOLDER, 'credentials', `${name}.json`);
    const tenant = new Tenant();
    Object.assign(tenant, JSON.parse(fs.readFileSync(file, 'utf8')), { refusals: [] });
    tenant.connection = await connect({
      servers: tenant.servers,
      user: tenant.user,
      pass: tenant.password,
      inboxPrefix: tenant.inboxPrefix,
      name: `${name} (outside)`,
    });
    tenant.listen();
    return tenant;
  }

  // Permission errors come by themselves, after a publish or subscribe that seemed to succeed.
  async listen() {
    for await (const status of this.connection.status()) {
      if (status.data === 'PERMISSIONS_VIOLATION') this.refusals.push(status.permissionContext);
    }
  }

  // Throws unless the server itself refuses, by name: silence is no proof.
  async mustBeRefused(operation, subject, payload = '{}') {
    const before = this.refusals.length;
    const inbox = createInbox(this.inboxPrefix);
    const answers = [];
    const take = (error, message) => error || answers.push(message);
    const subscriptions = [this.connection.subscribe(inbox, { callback: take })];
    if (operation === 'publish') {
      this.connection.publish(subject, payload, { reply: inbox });
    } else {
      subscriptions.push(this.connection.subscribe(subject, { callback: take }));
    }
    // The server answers in order, so its complaint comes before the answer to this.
    await this.connection.flush();
    await until(
      `the server refuses to ${operation} ${subject}`,
      () =>
        this.refusals
          .slice(before)
          .find((refusal) => refusal.operation === operation && refusal.subject === subject),
      PATIENCE / 1000,
    );
    for (const subscription of subscriptions) subscription.unsubscribe();
    assert.deepEqual(answers, [], `an answer came to a refused ${operation} of ${subject}`);
  }

  // What the tenant's account may ask of JetStream, under the name that its credentials give it.
  api(what) {
    return `$JS.${this.domain}.API.${what}`;
  }
  async ask(what) {
    const answer = await this.connection.request(this.api(what), '', { timeout: PATIENCE });
    const json = answer.json();
    assert.equal(json.error, undefined, `${what}: ${JSON.stringify(json.error)}`);
    return json;
  }
  streamInfo() {
    return this.ask(`STREAM.INFO.${this.stream}`);
  }
  durableInfo() {
    return this.ask(`CONSUMER.INFO.${this.stream}.${this.durable}`);
  }

  // The events that this tenant has not taken yet, up to the present end of its stream. An event is
  // acknowledged when the next one is asked for: by then whoever reads has kept it.
  async *events() {
    const consumer = await this.connection.jetstream({ domain: this.domain }).consumers.get(this.stream, this.durable);
    for (;;) {
      const last = (await this.streamInfo()).state.last_seq;
      const taken = (await consumer.info()).ack_floor.stream_seq;
      if (taken >= last) return;
      const messages = await consumer.fetch({
        max_messages: Math.min(last - taken, 100),
        expires: PATIENCE,
      });
      for await (const message of messages) {
        yield toCloudEvent(message);
        assert.ok(await message.ackAck(), 'the server confirms an acknowledgement');
      }
    }
  }

  close() {
    return this.connection.close();
  }
}

// CloudEvents 1.0, binary mode of the NATS binding: attributes are headers with the prefix ce-,
// their values percent-encoded; the body is the data.
function toCloudEvent(message) {
  const event = { headers: {}, subjectOfMessage: message.subject, body: message.string() };
  for (const key of message.headers?.keys() ?? []) {
    event.headers[key] = message.headers.get(key, Match.Exact);
    if (key.startsWith('ce-')) event[key.slice(3)] = decodeURIComponent(event.headers[key]);
  }
  return event;
}

function mustBeCloudEvent(event) {
  assert.equal(event.specversion, '1.0');
  assert.match(event.id, /^[a-z]+\.[0-9a-f]+$/);
  assert.match(event.source, /^\/\/coproduction-hub\/[a-z]+$/);
  assert.match(event.type, /^coproduction\.[a-z]+\.events\.v1\.[A-Z][A-Za-z]+$/);
  assert.match(event.subject, /^forums\/warwickshire(\/[A-Za-z]+\/[^/]+)?$/);
  assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  assert.equal(event.forum, 'warwickshire');
  assert.match(event.sequence, /^[1-9]\d*$/);
  assert.equal(event.headers['content-type'], 'application/json');
  assert.equal(typeof JSON.parse(event.body), 'object');
  const service = event.source.split('/').pop();
  const name = event.type.split('.').pop();
  assert.equal(event.subjectOfMessage, `coproduction.${service}.${name}`);
}

// Each event once, and those of each subject numbered from 1 without a gap, in the order they came.
function mustBeWhole(events) {
  const ids = new Set();
  const last = {};
  for (const event of events) {
    assert.ok(!ids.has(event.id), `${event.id} came twice`);
    ids.add(event.id);
    last[event.subject] = (last[event.subject] ?? 0) + 1;
    assert.equal(Number(event.sequence), last[event.subject], `${event.subject}, ${event.type}`);
  }
}

// What the outside system keeps of its events: one a line, on disk before it is acknowledged.
const storeOf = (tenant) => path.join(FOLDER, 'store', `${tenant.user}.jsonl`);

function kept(tenant) {
  if (!fs.existsSync(storeOf(tenant))) return [];
  const lines = fs.readFileSync(storeOf(tenant), 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

// Takes and keeps what is new; returns everything kept.
async function takeAll(tenant) {
  const file = fs.openSync(storeOf(tenant), 'a');
  try {
    for await (const event of tenant.events()) {
      fs.writeSync(file, `${JSON.stringify(event)}\n`);
      fs.fsyncSync(file);
    }
  } finally {
    fs.closeSync(file);
  }
  return kept(tenant);
}

async function refusals(tenant, other) {
  const { user: me, stream, durable } = tenant;
  const consumer = {
    stream_name: stream,
    config: { durable_name: 'more', ack_policy: AckPolicy.None, inactive_threshold: nanos(1000) },
  };
  const api = (...names) => names.map((name) => ['publish', `$JS.API.${name}`]);

  const table = {
    'subscribe wider than its inbox': [
      ['subscription', '>'],
      ['subscription', 'coproduction.>'],
      ['subscription', '$JS.>'],
      ['subscription', '_INBOX.>'],
      ['subscription', '*.>'],
    ],
    'create a consumer': [
      ['publish', `$JS.API.CONSUMER.CREATE.${stream}`, JSON.stringify(consumer)],
      ['publish', `$JS.API.CONSUMER.CREATE.${stream}.more`, JSON.stringify(consumer)],
      ['publish', `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.more`, JSON.stringify(consumer)],
    ],
    "read the other's stream": [
      ...api(`STREAM.INFO.${other}`, `CONSUMER.INFO.${other}.${other}`),
      ['publish', `$JS.API.CONSUMER.MSG.NEXT.${other}.${other}`, '1'],
      ['publish', `$JS.API.STREAM.MSG.GET.${other}`, '{"seq":1}'],
      ['publish', `$JS.API.DIRECT.GET.${other}`, '{"seq":1}'],
      ['publish', `$JS.ACK.${other}.${other}.1.1.1.1.0`, '+NXT'],
    ],
    'publish an event': [
      ['publish', 'coproduction.scheduling.RequestSubmitted'],
      ['publish', 'coproduction.membership.MemberJoined'],
    ],
    'delete or purge': [
      ...api(`STREAM.DELETE.${stream}`, `STREAM.PURGE.${stream}`, `STREAM.UPDATE.${stream}`),
      ['publish', `$JS.API.STREAM.MSG.DELETE.${stream}`, '{"seq":1}'],
      ...api(`CONSUMER.DELETE.${stream}.${durable}`),
    ],
    "listen at the other's inbox": [
      ['subscription', `_INBOX_${other}.>`],
      ['subscription', `_INBOX_${other}.*`],
      ['subscription', createInbox(`_INBOX_${other}`)],
    ],
  };

  // The same connection may do what the tenant is for: a refusal of everything would prove nothing.
  const before = await check(`${me} may ask for its stream, its durable, its inbox`, async () => {
    const info = await tenant.streamInfo();
    assert.equal((await tenant.durableInfo()).config.ack_policy, AckPolicy.Explicit);
    assert.deepEqual(tenant.refusals, []);
    return info;
  });
  for (const [what, attempts] of Object.entries(table)) {
    await check(`${me} may not ${what} (${attempts.length} ways, each named)`, async () => {
      for (const attempt of attempts) await tenant.mustBeRefused(...attempt);
    });
  }
  await check(`${me}: stream and durable are as they were`, async () => {
    const after = await tenant.streamInfo();
    assert.deepEqual(after.config, before.config);
    assert.deepEqual(after.state, before.state);
    assert.equal((await tenant.durableInfo()).ack_floor.stream_seq, 0);
  });
}

// Where an answer goes is the asker's to say, and the server does not ask whether it may write there.
// Done when nothing waits, so that the answers are empty, as some requests of JetStream want it.
async function answersGoNowhere(tenant) {
  const { stream, durable } = tenant;
  const before = await tenant.streamInfo();
  for (const reply of [
    'coproduction.scheduling.RequestSubmitted',
    `$JS.API.STREAM.PURGE.${stream}`,
    `$JS.API.CONSUMER.DELETE.${stream}.${durable}`,
    `$JS.API.STREAM.DELETE.${stream}`,
  ]) {
    tenant.connection.publish(tenant.api(`STREAM.INFO.${stream}`), '', { reply });
    const next = tenant.api(`CONSUMER.MSG.NEXT.${stream}.${durable}`);
    tenant.connection.publish(next, '{"batch":1,"no_wait":true}', { reply });
  }
  await tenant.connection.flush();
  assert.deepEqual((await tenant.streamInfo()).state, before.state);
  assert.equal((await tenant.durableInfo()).num_ack_pending, 0);
}

async function main() {
  for (const [me, other] of [['wcc', 'wpcv'], ['wpcv', 'wcc']]) {
    const tenant = await Tenant.open(me);
    await refusals(tenant, other);
    await check(`${me} takes its events from its durable, each acknowledged`, async () => {
      const events = await takeAll(tenant);
      assert.ok(events.length > 0, 'no event came');
      const { state } = await tenant.streamInfo();
      const durable = await tenant.durableInfo();
      assert.equal(events.length, state.messages);
      assert.equal(durable.ack_floor.stream_seq, state.last_seq);
      assert.equal(durable.num_ack_pending, 0);
      assert.equal(durable.num_redelivered, 0);
    });
    await check(`${me} reads each as a CloudEvent 1.0 with a JSON body`, () =>
      kept(tenant).forEach(mustBeCloudEvent));
    await check(`${me} got each id once, each subject's numbers from 1 without a gap`, () =>
      mustBeWhole(kept(tenant)));
    await check(`${me} may not publish or delete by the answer to what it may ask`, () =>
      answersGoNowhere(tenant));
    await tenant.close();
  }
}

module.exports = { FOLDER, Tenant, mustBeCloudEvent, mustBeWhole, takeAll, toCloudEvent };
if (require.main === module) run(main);
