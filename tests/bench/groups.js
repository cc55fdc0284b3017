'use strict';
// How long until the forum's platform hears that somebody came into a group or went, beside a bare
// publication to a JetStream server on the same disk. Started by tests/bench/groups.

const fs = require('node:fs');
const path = require('node:path');
const crypto = require('node:crypto');
const { createRequire } = require('node:module');
const foreign = createRequire(path.join(__dirname, '../foreign/package.json'));
const grpc = foreign('@grpc/grpc-js');
const loader = foreign('@grpc/proto-loader');
const { AckPolicy, connect, nanos } = foreign('nats');

const FORUM = 'forums/warwickshire';
const { HUB_SERVER, HUB_PROTO, OUTSIDE, RAW } = process.env;
const CHANGES = Number(process.env.CHANGES);

const packages = grpc.loadPackageDefinition(
  loader.loadSync(['membership/v1/groups.proto', 'membership/v1/members.proto'].map((file) => `coproduction/${file}`), {
    includeDirs: [HUB_PROTO],
    keepCase: true,
    enums: String,
  }),
).coproduction.membership.v1;
const token = fs.readFileSync(path.join(OUTSIDE, 'token'), 'utf8').trim();

function call(service, method, request) {
  call[service] ??= new packages[service](HUB_SERVER, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return new Promise((resolve, reject) => {
    call[service][method]({ ...request, request_id: crypto.randomUUID() }, metadata, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

// Messages in their order, as they come; each tells when.
class Line {
  constructor(messages, wanted) {
    this.came = [];
    this.waiting = [];
    (async () => {
      for await (const message of messages) {
        if (wanted(message)) {
          const now = performance.now();
          const next = this.waiting.shift();
          if (next) next(now);
          else this.came.push(now);
        }
        message.ack();
      }
    })();
  }
  next() {
    if (this.came.length > 0) return Promise.resolve(this.came.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
function tell(row, times) {
  times.sort((a, b) => a - b);
  return { row, calls: times.length, p50_ms: at(times, 0.5), p99_ms: at(times, 0.99) };
}

async function main() {
  const tenant = JSON.parse(fs.readFileSync(path.join(OUTSIDE, 'wpcv.json'), 'utf8'));
  const platform = await connect({
    servers: tenant.servers,
    user: tenant.user,
    pass: tenant.password,
    inboxPrefix: tenant.inboxPrefix,
  });
  const consumer = await platform.jetstream({ domain: tenant.domain }).consumers.get(tenant.stream, tenant.durable);
  const events = new Line(await consumer.consume(), (message) => message.subject.endsWith('.GroupMembershipChanged'));

  const bare = await connect({ servers: RAW });
  const manager = await bare.jetstreamManager();
  await manager.streams.add({ name: 'raw', subjects: ['raw.>'], duplicate_window: nanos(120000) });
  await manager.consumers.add('raw', { durable_name: 'one', ack_policy: AckPolicy.Explicit });
  const raw = bare.jetstream();
  const messages = new Line(await (await raw.consumers.get('raw', 'one')).consume(), () => true);

  const group = await call('Groups', 'CreateGroup', {
    parent: FORUM,
    group: { display_name: 'Panel', kind: 'PANEL' },
  });
  const people = [];
  for (let i = 0; i < 50; i++) {
    const member = { given_name: 'Ash', family_name: `Example ${i}`, joined_on: '2021-05-04', reach_by: 'POST' };
    people.push(await call('Members', 'CreateMember', { parent: FORUM, member: { ...member, residence: 'LIVES_HERE' } }));
  }
  const fromCall = [];
  const fromAnswer = [];
  const published = [];
  for (let i = 0; i < CHANGES; i += 2) {
    const member = people[(i / 2) % people.length].name;
    let membership = '';
    for (const change of ['AddGroupMember', 'RemoveGroupMember']) {
      const began = performance.now();
      const answer = await call('Groups', change, membership ? { name: membership } : { parent: FORUM, group: group.name, member });
      const answered = performance.now();
      membership = answer.name;
      const heard = await events.next();
      fromCall.push(heard - began);
      fromAnswer.push(Math.max(0, heard - answered));
      const publishing = performance.now();
      await raw.publish('raw.x', 'x'.repeat(300), { msgID: crypto.randomUUID() });
      published.push((await messages.next()) - publishing);
    }
  }
  console.log(JSON.stringify([tell('raw', published), tell('from the call', fromCall), tell('from the answer', fromAnswer)]));
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
