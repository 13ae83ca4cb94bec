// A TCP relay that can be slow, and can be cut like a cable.
import { createServer as createHTTP, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';

export interface Cable {
  url: string;
  /** Bytes from the browser to the server so far. */
  sent(): number;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** `bytesPerSecond` limits what goes up; 0 is no limit. */
export function cable(port: number, bytesPerSecond = 0): Promise<Cable> {
  const open = new Set<Socket>();
  let whole = true;
  let sent = 0;
  const track = (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  };
  const relay = createServer((from) => {
    track(from);
    if (!whole) return from.destroy();
    const to = connect(port, '127.0.0.1');
    track(to);
    from.on('data', (bytes) => {
      sent += bytes.length;
      to.write(bytes);
      if (bytesPerSecond === 0) return;
      from.pause();
      setTimeout(() => from.resume(), (bytes.length / bytesPerSecond) * 1000);
    });
    to.pipe(from);
    from.on('end', () => to.end());
    from.on('close', () => to.destroy());
    to.on('close', () => from.destroy());
  });
  return new Promise((done) => {
    relay.listen(0, '127.0.0.1', () => {
      const address = relay.address() as { port: number };
      done({
        url: `http://127.0.0.1:${address.port}`,
        sent: () => sent,
        cut() {
          whole = false;
          for (const socket of open) socket.destroy();
        },
        mend() {
          whole = true;
        },
        close: () =>
          new Promise((closed) => {
            for (const socket of open) socket.destroy();
            relay.close(() => closed());
          }),
      });
    });
  });
}

export interface Gatekeeper {
  url: string;
  /** How often it refused, and the largest body it let through. */
  refused(): number;
  largest(): number;
  close(): Promise<void>;
}

/** An HTTP proxy that refuses bodies of more than `most` bytes with 413, as nginx does. */
export function gatekeeper(port: number, most: number): Promise<Gatekeeper> {
  let refused = 0;
  let largest = 0;
  const proxy = createHTTP((from, back) => {
    const length = Number(from.headers['content-length'] ?? 0);
    if (length > most) {
      refused++;
      back.writeHead(413, { 'Content-Type': 'text/html', Connection: 'close' });
      back.end('<html><title>413 Request Entity Too Large</title></html>');
      from.resume(); // nginx lingers for a while, so that the answer is read
      return;
    }
    largest = Math.max(largest, length);
    const { method, url, headers } = from;
    const to = request({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
      back.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(back);
    });
    to.on('error', () => back.destroy());
    from.pipe(to);
  });
  return new Promise((done) => {
    proxy.listen(0, '127.0.0.1', () => {
      const address = proxy.address() as { port: number };
      done({
        url: `http://127.0.0.1:${address.port}`,
        refused: () => refused,
        largest: () => largest,
        close: () =>
          new Promise((closed) => {
            proxy.closeAllConnections();
            proxy.close(() => closed());
          }),
      });
    });
  });
}

export interface Sent {
  method: string;
  /** Path and query, as they came. */
  target: string;
  /** Of the body that has come so far. */
  bytes: number;
  /** Of the answer that was given; 0 while there is none. */
  status: number;
}

export interface Said {
  status: number;
  /** The word of refusal. */
  code: string;
  headers?: Record<string, string>;
}

export interface Recorder {
  url: string;
  /** Every request since the beginning. */
  sent: Sent[];
  /** Of these, half the body goes on; the store learns that it broke off when the browser gives it up. */
  holdUp(which: (request: Sent) => boolean): void;
  /** What is said in the store's place, as the store would say it to a browser; nothing: it goes on. */
  say(answer: (request: Sent) => Said | undefined): void;
  /** Nothing is held up, and nothing said, from now on. */
  letThrough(): void;
  close(): Promise<void>;
}

/** An HTTP proxy that remembers what went through. The store is told the host that it was asked as. */
export function recorder(port: number): Promise<Recorder> {
  const sent: Sent[] = [];
  let held: (request: Sent) => boolean = () => false;
  let saying: (request: Sent) => Said | undefined = () => undefined;
  const proxy = createHTTP((from, back) => {
    const { method = '', url = '', headers } = from;
    const seen: Sent = { method, target: url, bytes: 0, status: 0 };
    sent.push(seen);
    const said = method === 'OPTIONS' ? undefined : saying(seen);
    if (said) {
      from.resume().on('end', () => {
        seen.status = said.status;
        back.writeHead(said.status, {
          'Content-Type': 'application/xml',
          'Access-Control-Allow-Origin': '*',
          'Access-Control-Expose-Headers': '*',
          ...said.headers,
        });
        back.end(`<Error><Code>${said.code}</Code></Error>`);
      });
      return;
    }
    const to = request({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
      seen.status = reply.statusCode ?? 0;
      back.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(back);
    });
    to.on('error', () => back.destroy());
    back.on('close', () => back.writableFinished || to.destroy());
    const most = held(seen) ? Number(headers['content-length'] ?? 0) / 2 : Infinity;
    from.on('data', (bytes: Buffer) => {
      seen.bytes += bytes.length;
      if (seen.bytes > most) return;
      if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('end', () => most === Infinity && to.end());
  });
  return new Promise((done) => {
    proxy.listen(0, '127.0.0.1', () => {
      const address = proxy.address() as { port: number };
      done({
        url: `http://127.0.0.1:${address.port}`,
        sent,
        holdUp(which) {
          held = which;
        },
        say(answer) {
          saying = answer;
        },
        letThrough() {
          held = () => false;
          saying = () => undefined;
        },
        close: () =>
          new Promise((closed) => {
            proxy.closeAllConnections();
            proxy.close(() => closed());
          }),
      });
    });
  });
}
