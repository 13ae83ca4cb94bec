// A TCP relay that can be slow, and can be cut like a cable.
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
