'use strict';
// The forum and the council act on one hub, and each side's system gets its own side of it: what is
// the forum's never crosses to the council, not even as an id.

const assert = require('node:assert/strict');
const { check, run } = require('./check');
const { FORUM, WCC, call, complete, newId, settled } = require('./requester');
const { Tenant, mustBeCloudEvent, mustBeWhole, takeAll } = require('./subscriber');

const MEMBERSHIP = 'coproduction.membership.events.v1';
const SCHEDULING = 'coproduction.scheduling.events.v1';

// The ways in which a text may hide in a message.
function formsOf(text) {
  const bytes = Buffer.from(text);
  const forms = [
    text,
    encodeURIComponent(text),
    bytes.toString('hex'),
    [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  ];
  // Within a longer text, its base64 begins at one of three places; the digits at the edges belong
  // to the neighbours as well.
  for (const before of [0, 1, 2]) {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url');
    const end = Math.floor(((before + bytes.length) * 4) / 3);
    const inner = digits.slice(Math.ceil((before * 4) / 3), end);
    forms.push(inner, inner.replaceAll('-', '+').replaceAll('_', '/'));
  }
  return forms.map((form) => form.toLowerCase());
}

// Whether any header or body says it, in whatever form.
function say(events, text) {
  const all = events.flatMap((event) => [
    event.subjectOfMessage,
    ...Object.entries(event.headers).flat(),
    event.body,
  ]);
  const haystack = all.join('\n').toLowerCase();
  return formsOf(text).some((form) => haystack.includes(form));
}

// Four weeks from now, early enough for a request; or later, where that is a bank holiday.
async function planSession() {
  for (let days = 28; ; days += 7) {
    const date = new Date(Date.now() + days * 86400000).toISOString().slice(0, 10);
    const session = { series: 'HUB', date, start_time: '11:00' };
    const request = { parent: FORUM, session, request_id: newId() };
    try {
      return await call('Sessions.CreateSession', request, 'chair');
    } catch (error) {
      if (error.found?.metadata?.rule !== 'bank_holiday' || days > 60) throw error;
    }
  }
}

async function askFor(title, session, as) {
  const request = { ...complete(title), session: session.name };
  const wanted = { parent: FORUM, request, request_id: newId() };
  const { name, etag } = await call('Requests.CreateRequest', wanted, as);
  return call('Requests.SubmitRequest', { name, etag, request_id: newId() }, as);
}

async function bothAccept(request) {
  for (const as of ['chair', 'facilitator']) {
    const word = { name: request.name, etag: request.etag, request_id: newId() };
    request = await call('Requests.AcceptRequest', word, as);
  }
  return request;
}

// The same events by the other way that the hub offers: to ask it.
async function listed(as) {
  const events = [];
  for (let token = ''; ; ) {
    const request = { parent: FORUM, page_size: 100, page_token: token };
    const page = await call('Events.ListEvents', request, as);
    events.push(...(page.events ?? []));
    token = page.next_page_token;
    if (!token) return events;
  }
}

async function main() {
  const person = {
    given_name: 'Zephyrine',
    family_name: 'Quillfeather',
    email: 'zephyrine@quillfeather.example',
    phone: '+441632960123',
    postcode_district: 'CV34',
    joined_on: '2021-09-01',
    source_key: 'sheet-4711',
  };
  const member = await check('a member joins, and the forum reads everything back', async () => {
    const request = { parent: FORUM, member: person, request_id: newId() };
    const made = await call('Members.CreateMember', request, 'membership_admin');
    const read = await call('Members.GetMember', { name: made.name }, 'membership_admin');
    for (const [key, value] of Object.entries(person)) assert.equal(read[key], value, key);
    return read;
  });
  const session = await check('the forum plans a hub session', planSession);
  const request = await check('the council asks for it, and both sides accept', async () => {
    const accepted = await bothAccept(await askFor('Transport to school', session, 'officer'));
    assert.equal(accepted.state, 'ACCEPTED');
    return accepted;
  });
  const others = await check('another partner asks for it too', () =>
    askFor('Waiting times for assessment', session, 'health_requestor'));

  await settled();
  const forum = await Tenant.open('wpcv');
  const council = await Tenant.open('wcc');
  const atForum = await takeAll(forum);
  const atCouncil = await takeAll(council);
  const of = (events, type, subject) =>
    events.filter((event) => event.type === type && event.subject === subject);

  await check('both go on where they stopped: whole, and CloudEvents', () => {
    for (const events of [atForum, atCouncil]) {
      mustBeWhole(events);
      events.forEach(mustBeCloudEvent);
    }
  });
  await check('wpcv gets MemberJoined with the name of the member', () => {
    const [event, ...more] = of(atForum, `${MEMBERSHIP}.MemberJoined`, member.name);
    assert.deepEqual(more, []);
    assert.deepEqual(JSON.parse(event.body), { member: member.name, joinedOn: person.joined_on });
  });
  const id = member.name.split('/').pop();
  await check('wcc gets no membership event and no id of a member, in no header or body', () => {
    assert.ok(atCouncil.length > 0);
    for (const event of atCouncil) {
      assert.ok(!event.type.startsWith('coproduction.membership.'), event.type);
      assert.ok(!event.type.endsWith('.ResourceChanged'), event.type);
      assert.ok(!event.subject.startsWith(`${FORUM}/members/`), event.subject);
    }
    for (const text of [id, id.replaceAll('-', ''), 'members/']) {
      assert.ok(!say(atCouncil, text), text);
    }
    assert.ok(say(atForum, id), 'the same search finds it at wpcv');
  });
  await check("nobody's events say who the member is", () => {
    const { given_name, family_name, email, phone } = person;
    for (const text of [given_name, family_name, email, phone]) {
      assert.ok(!say(atCouncil, text), `wcc: ${text}`);
      assert.ok(!say(atForum, text), `wpcv: ${text}`);
    }
  });
  await check('the search finds a text in each form that it looks for', () => {
    for (const hidden of [
      id,
      `x${Buffer.from(id).toString('hex')}`,
      ...['', 'x', 'xy'].map((before) => Buffer.from(`${before}{"${id}"}`).toString('base64')),
      ...['', 'x', 'xy'].map((before) => Buffer.from(`${before}{"${id}"}`).toString('base64url')),
      [...id].map((letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join(''),
    ]) {
      assert.ok(say([{ headers: {}, body: `{"note":"- ${hidden} -"}` }], id), hidden);
      assert.ok(say([{ headers: { 'ce-x': hidden }, body: '{}' }], id), hidden);
    }
    assert.ok(say([{ headers: {}, body: 'caf%C3%A9' }], 'café'));
  });

  await check("the forum's own field of SessionPlanned is in wpcv's message, not in wcc's", () => {
    const type = `${SCHEDULING}.SessionPlanned`;
    const [forums] = of(atForum, type, session.name);
    const [councils] = of(atCouncil, type, session.name);
    const { quorumCheckDate, ...rest } = JSON.parse(forums.body);
    assert.match(quorumCheckDate, /^\d{4}-\d\d-\d\d$/);
    assert.ok(!('quorumCheckDate' in JSON.parse(councils.body)));
    assert.deepEqual(JSON.parse(councils.body), rest, 'they share the rest');
    assert.ok(!say([councils], quorumCheckDate), quorumCheckDate);
  });
  await check('nor do the names of changed fields cross', () => {
    assert.ok(atForum.some((event) => event.paths));
    for (const event of atCouncil) assert.equal(event.paths || '', '', event.id);
  });
  await check("the request's story is the same on both sides", () => {
    const story = (events) =>
      ['RequestSubmitted', 'RequestAccepted'].map((name) => {
        const [event] = of(events, `${SCHEDULING}.${name}`, request.name);
        return JSON.parse(event.body);
      });
    assert.deepEqual(story(atCouncil), story(atForum));
    assert.equal(story(atCouncil)[0].partner, WCC);
  });
  await check("another partner's request reaches wpcv, and nothing of it wcc", () => {
    assert.ok(say(atForum, others.name));
    for (const text of [others.name.split('/').pop(), others.title, 'coventry-warwickshire-ccg']) {
      assert.ok(!say(atCouncil, text), text);
    }
  });
  for (const [name, events, as] of [
    ['wpcv', atForum, 'membership_platform'],
    ['wcc', atCouncil, 'case_system'],
  ]) {
    await check(`${name} took from its stream what ListEvents tells, event for event`, async () => {
      const all = await listed(as);
      const brief = (event, data) => [event.id, event.type, event.subject, event.sequence, data];
      const sorted = (rows) => rows.sort((a, b) => (a[0] < b[0] ? -1 : 1));
      assert.deepEqual(
        sorted(events.map((event) => brief(event, JSON.parse(event.body)))),
        sorted(all.map((event) => brief(event, JSON.parse(event.data_json)))),
      );
    });
  }
  await forum.close();
  await council.close();
}

run(main);
