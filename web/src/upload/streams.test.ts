import { expect, test } from 'vitest';
import { Streams } from './streams';

/** A line that carries so many bodies at once at full speed; each takes 100 ms. */
function simulate(streams: Streams, width: number, ms: number, clock: { now: number }) {
  const signal = new AbortController().signal;
  let moving = 0;
  const ends: { at: number; end(): void }[] = [];
  const start = () =>
    void streams.through(signal, async () => {
      moving++;
      const at = clock.now + 100 * Math.max(1, moving / width);
      await new Promise<void>((end) => ends.push({ at, end }));
      moving--;
    });
  return (async () => {
    for (let i = 0; i < 20; i++) start();
    for (const until = clock.now + ms; clock.now < until; clock.now += 10) {
      for (const done of ends.filter((e) => e.at <= clock.now)) {
        ends.splice(ends.indexOf(done), 1);
        done.end();
        streams.passed(1000);
        start();
      }
      await new Promise((next) => setImmediate(next));
    }
    return ends.length;
  })();
}

test('there are as many requests at once as make it faster', async () => {
  const clock = { now: 0 };
  expect(await simulate(new Streams(16, () => clock.now), 16, 20_000, clock)).toBeGreaterThan(9);
  const narrow = { now: 0 };
  expect(await simulate(new Streams(16, () => narrow.now), 4, 20_000, narrow)).toBeLessThan(7);
});

test('half of it after a failure, once for failures that come together', async () => {
  let now = 0;
  const streams = new Streams(8, () => now);
  const count = () => {
    let open = 0;
    const stop = new AbortController();
    for (let i = 0; i < 9; i++)
      void streams
        .through(stop.signal, () => {
          open++;
          return new Promise((_, no) =>
            stop.signal.addEventListener('abort', () => no(stop.signal.reason)),
          );
        })
        .catch(() => {});
    return new Promise<number>((tell) =>
      setImmediate(() => {
        stop.abort();
        setImmediate(() => tell(open));
      }),
    );
  };
  expect(await count()).toBe(4);
  for (let i = 0; i < 5; i++) streams.failed();
  expect(await count()).toBe(2);
  now = 6000;
  streams.failed();
  expect(await count()).toBe(1);
});

test('while one body waits for its answer the next one is sent', async () => {
  const streams = new Streams(4, () => 0);
  for (let i = 0; i < 5; i++) streams.failed();
  const { signal } = new AbortController();
  const gone: (() => void)[] = [];
  let answers = 0;
  for (let i = 0; i < 6; i++)
    void streams.through(signal, (sent) => {
      gone.push(sent);
      return new Promise(() => answers++);
    });
  await Promise.resolve();
  const begun = gone.length;
  expect(begun).toBe(2);
  gone[0]?.();
  await new Promise((next) => setImmediate(next));
  expect(gone.length).toBe(3);
  for (const sent of [...gone]) sent();
  await new Promise((next) => setImmediate(next));
  expect(gone.length).toBe(4); // no more requests than connections
  expect(answers).toBe(4);
});
