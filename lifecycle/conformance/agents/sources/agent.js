// A socket agent over Node's net and dgram (docs/reference/agents.md): streams of events made into calls that answer.   node agent.js
'use strict';
const dgram = require('dgram'), net = require('net'), readline = require('readline');
const HELLO = 'ok protocol=1 agent=node-net peers=system finish=own lacks=flags,setsockopt,getsockopt,sendto lacks.datagram=shutdown';
const slots = new Map();
const FOR_EVER = -1, TURNS = 3;

class Failure extends Error {
  constructor(code) { super(code); this.code = code; }
}

class Slot {
  constructor(kind, role) {
    Object.assign(this, {kind, role, wait: FOR_EVER, queue: [], waiting: [], error: null, ended: false, connected: false, dead: false});
  }
  wake() { for (const each of this.waiting.splice(0)) each(); }
  fails(error) { this.error = error; this.wake(); }
  raise() { const error = this.error; this.error = null; if (error) throw error; }

  /* What test() gives, once it does not give undefined; undefined where it would block, or a time-out. */
  async until(test, wait = this.wait) {
    let found;
    for (let turn = 0; turn < TURNS; turn++) {
      if ((found = test()) !== undefined) return found;
      await new Promise(done => setImmediate(done));
    }
    const ends = wait < 0 ? Infinity : Date.now() + wait;
    while ((found = test()) === undefined) {
      const left = ends - Date.now();
      if (wait === 0) return undefined;
      if (left <= 0) throw new Failure('timeout');
      await new Promise(done => { this.waiting.push(done); if (left < Infinity) setTimeout(done, left); });
    }
    return found;
  }

  watch(stream) {
    this.stream = stream;
    stream.on('error', error => this.fails(error)).on('end', () => { this.ended = true; this.wake(); });
    stream.on('close', () => { this.gone = true; this.wake(); }).on('connect', () => { this.connected = true; this.wake(); });
    stream.on('readable', () => this.wake()).on('drain', () => this.wake());
    return this;
  }
}

function make(kind, role) {
  const slot = new Slot(kind, role);
  if (kind === 'dgram') {
    slot.socket = dgram.createSocket('udp4');
    slot.socket.on('error', error => slot.fails(error)).on('message', (data, from) => { slot.queue.push([data, from]); slot.wake(); });
  } else if (role === 'server') {
    slot.server = net.createServer({pauseOnConnect: true, allowHalfOpen: true}, each => { slot.queue.push(each); slot.wake(); });
    slot.server.on('error', error => slot.fails(error));
  } else slot.watch(new net.Socket({allowHalfOpen: true}));
  return slot;
}

/* A method that calls back, awaited. */
function called(thing, method, ...words) {
  return new Promise((done, fail) => {
    thing.once('error', fail);
    thing[method](...words, error => { thing.off('error', fail); error ? fail(error) : done(); });
  });
}

const hex = data => data && data.length ? data.toString('hex') : '-';
const bytes = digits => digits === '-' ? Buffer.alloc(0) : Buffer.from(digits, 'hex');
const named = (host, port) => { if (host === undefined) throw new Failure('ENOTCONN'); return `ok ${host} ${port}`; };
const isNew = slot => slot.connected || slot.error || slot.gone ? true : undefined;

const SERVER = {
  async bind(slot, host, port) {
    if (slot.server.listening) throw new Failure('EINVAL');
    await called(slot.server, 'listen', {host, port: +port, backlog: 8});
    return 'ok'; // it listens from here on
  },
  listen(slot) { if (!slot.server.listening) throw new Failure('EINVAL'); return 'ok'; },
  async accept(slot, number) {
    if (!slot.server.listening) throw new Failure('EINVAL');
    const stream = await slot.until(() => slot.queue.shift());
    if (!stream) return 'err EAGAIN';
    const found = new Slot('stream', 'accepted').watch(stream);
    found.connected = found.isCollected = true;
    slots.set(+number, found);
    return `ok ${stream.remoteAddress} ${stream.remotePort}`;
  },
  getsockname(slot) { const at = slot.server.address(); if (!at) throw new Failure('EINVAL'); return `ok ${at.address} ${at.port}`; },
  close(slot) { if (slot.server.listening) slot.server.close(); for (const each of slot.queue) each.destroy(); return 'ok'; },
};

const STREAM = {
  bind(slot, host, port) {
    if (slot.local || slot.connected) throw new Failure('EINVAL');
    slot.local = {localAddress: host, ...(+port ? {localPort: +port} : {})}; // net binds when it connects
    return 'ok';
  },
  async connect(slot, host, port) {
    if (slot.connected) throw new Failure('EISCONN');
    if (slot.stream.connecting) throw new Failure('EALREADY');
    if (slot.gone) { slot.watch(new net.Socket({allowHalfOpen: true})); slot.gone = false; }
    slot.stream.connect({host, port: +port, ...slot.local});
    if (slot.wait === 0) return 'err EINPROGRESS';
    await slot.until(() => isNew(slot));
    return STREAM.collected(slot);
  },
  collected(slot) { slot.raise(); slot.isCollected = true; return 'ok'; },
  async finish(slot) {
    if (slot.isCollected || !slot.stream.connecting && !slot.connected && !slot.error) throw new Failure('EINVAL');
    return await slot.until(() => isNew(slot)) === undefined ? 'err EINPROGRESS' : STREAM.collected(slot);
  },
  async send(slot, data) {
    slot.raise();
    if (!slot.isCollected) throw new Failure('ENOTCONN');
    if (slot.stream.writableNeedDrain) {
      if (await slot.until(() => slot.stream.writableNeedDrain && !slot.error && !slot.gone ? undefined : true) === undefined) return 'err EAGAIN';
      slot.raise();
    }
    let failure = null;
    slot.stream.write(data, error => { failure = error; });
    await new Promise(done => setImmediate(done));
    if (failure) { slot.error = null; throw failure; }
    return `ok ${data.length}`;
  },
  async recv(slot, size) {
    if (!slot.isCollected) throw new Failure('ENOTCONN');
    if (+size === 0) return 'ok -';
    const stream = slot.stream;
    const got = await slot.until(() => {
      const data = stream.read(Math.min(+size, stream.readableLength) || undefined);
      return data || (slot.error || slot.ended || slot.gone ? Buffer.alloc(0) : undefined);
    });
    if (got === undefined) return 'err EAGAIN';
    if (!got.length) slot.raise();
    return 'ok ' + hex(got);
  },
  async recvfrom(slot, size) { const got = await STREAM.recv(slot, size); return got.startsWith('ok') ? got + ' - 0' : got; },
  async shutdown(slot, how) {
    if (!slot.isCollected) throw new Failure('ENOTCONN');
    if (how !== 'w') return 'lacks';
    if (!slot.stream.writableEnded) await new Promise(done => slot.stream.end(done));
    slot.raise();
    return 'ok';
  },
  getsockname(slot) { return named(slot.stream.localAddress, slot.stream.localPort); },
  getpeername(slot) { return named(slot.stream.remoteAddress, slot.stream.remotePort); },
  close(slot) { slot.stream.end(); slot.stream.destroySoon(); return 'ok'; },
  abort(slot) { slot.stream.resetAndDestroy ? slot.stream.resetAndDestroy() : slot.stream.destroy(); return 'ok'; },
};

const DATAGRAM = {
  async bind(slot, host, port) {
    if (slot.bound) throw new Failure('EINVAL');
    await called(slot.socket, 'bind', {address: host, port: +port});
    slot.bound = true;
    return 'ok';
  },
  async connect(slot, host, port) {
    await called(slot.socket, 'connect', +port, host);
    slot.bound = true;
    return 'ok';
  },
  async send(slot, data) { slot.raise(); await called(slot.socket, 'send', data); return `ok ${data.length}`; },
  async recv(slot, size) { const got = await DATAGRAM.recvfrom(slot, size); return got.split(' ').slice(0, 2).join(' '); },
  async recvfrom(slot, size) {
    if (!slot.bound) throw new Failure('EINVAL');
    const got = await slot.until(() => slot.queue.length || slot.error ? slot.queue.shift() || null : undefined);
    if (got === undefined) return 'err EAGAIN';
    if (got === null) slot.raise();
    return `ok ${hex(got[0].subarray(0, +size))} ${got[1].address} ${got[1].port}`;
  },
  getsockname(slot) { const at = slot.socket.address(); return `ok ${at.address} ${at.port}`; },
  getpeername(slot) { const at = slot.socket.remoteAddress(); return `ok ${at.address} ${at.port}`; },
  close(slot) { slot.socket.close(); return 'ok'; },
};

const SHOWS = {
  readable: slot => slot.queue.length || slot.ended || slot.error || slot.gone || (slot.stream && slot.stream.readableLength),
  writable: slot => slot.error || slot.gone || (slot.connected && !slot.stream.writableNeedDrain),
  at_end: slot => slot.ended || slot.error || slot.gone,
  hung_up: slot => slot.error || slot.gone,
  gone: slot => slot.error || slot.gone,
};

async function act(verb, number, ...words) {
  const slot = slots.get(+number);
  if (verb === 'hello') return HELLO;
  if (verb === 'quit') process.exit(0);
  if (verb === 'socket') { slots.set(+number, make(...words)); return 'ok'; }
  if (verb === 'forget' && (!slot || slot.dead)) { slots.delete(+number); return 'ok'; }
  if (!slot || slot.dead) return 'err EBADF';
  if (verb === 'timeout') { slot.wait = words[0] === 'none' ? FOR_EVER : Math.ceil(+words[0] * 1000); return 'ok'; }
  if (verb === 'becomes') {
    try {
      return await slot.until(() => SHOWS[words[0]](slot) ? true : undefined, Math.ceil(+words[1] * 1000)) ? 'ok 1' : 'ok 0';
    } catch (error) { return 'ok 0'; }
  }
  const calls = slot.server ? SERVER : slot.socket ? DATAGRAM : STREAM;
  if (verb === 'close' || verb === 'abort' || verb === 'forget') {
    slot.dead = true;
    if (verb === 'forget') slots.delete(+number);
    return (verb === 'abort' && calls.abort || calls.close)(slot);
  }
  if (verb === 'fill') return calls.send ? calls.send(slot, Buffer.alloc(+words[0])) : 'lacks';
  if (verb === 'send') return calls.send ? calls.send(slot, bytes(words[0])) : 'lacks';
  return calls[verb] ? calls[verb](slot, ...words) : 'lacks';
}

const NAMES = {
  ERR_SOCKET_BAD_PORT: 'EINVAL', ERR_SERVER_ALREADY_LISTEN: 'EINVAL', ERR_SERVER_NOT_RUNNING: 'EBADF', ERR_STREAM_WRITE_AFTER_END: 'EPIPE',
  ERR_STREAM_DESTROYED: 'EPIPE', ERR_SOCKET_ALREADY_BOUND: 'EINVAL', ERR_SOCKET_DGRAM_IS_CONNECTED: 'EISCONN',
  ERR_SOCKET_DGRAM_NOT_CONNECTED: 'ENOTCONN', ERR_SOCKET_DGRAM_NOT_RUNNING: 'EBADF', ERR_SOCKET_CLOSED: 'EPIPE',
  ERR_STREAM_ALREADY_FINISHED: 'EPIPE', ERR_SOCKET_BAD_TYPE: 'EINVAL', ERR_MISSING_ARGS: 'EDESTADDRREQ',
};

async function main() {
  for await (const line of readline.createInterface({input: process.stdin})) {
    let answer;
    try { answer = await act(...line.split(' ')); } catch (error) {
      answer = error.code === 'timeout' ? 'timeout' : `err ${NAMES[error.code] || error.code || error.name}`;
    }
    process.stdout.write(answer + '\n');
  }
}

process.on('uncaughtException', () => {}); // an error that came when nobody could be told: the next call shows what is left
main();
