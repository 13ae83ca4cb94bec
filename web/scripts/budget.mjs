// What a browser fetches before a screen stands, gzipped, with its style and the
// font it needs to show text: for the first screen (everything index.html pulls
// in at once) and for the files, which a signed-in person sees.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const read = (name) => readFileSync(new URL(name, dist));
const assets = readdirSync(new URL('assets/', dist)).map((f) => `assets/${f}`);

const html = read('index.html').toString();
const linked = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((m) => m[1]);
const fonts = assets.filter((f) => /inter-latin-wght-normal.*\.woff2$/.test(f));
const first = new Set(['index.html', ...linked, ...fonts]);

/** What the bundler has a lazy part fetch beside itself. */
function partOf(name) {
  const entry = linked
    .filter((f) => f.endsWith('.js'))
    .map((f) => read(f).toString())
    .find((code) => code.includes('m.f='));
  const all = JSON.parse(/m\.f=(\[[^\]]*\])/.exec(entry)[1]);
  // A part that shares its file with others is taken out of it by a `then`.
  const needs = new RegExp(
    `import\\(\`\\./${name}-[^)]*\\)(?:\\.then\\([^)]*\\))?,__vite__mapDeps\\(\\[([\\d,]*)\\]`,
  );
  return needs
    .exec(entry)[1]
    .split(',')
    .map((i) => all[Number(i)]);
}

const loads = [
  ['first screen', first, 200_000],
  ['files, signed in', new Set([...first, ...partOf('signed-in')]), 260_000],
];
for (const [what, names, budget] of loads) {
  const size = [...names]
    .map((name) => gzipSync(read(name), { level: 9 }).length)
    .reduce((a, b) => a + b);
  const line = `${(size / 1000).toFixed(1).padStart(8)} kB gz of ${budget / 1000}  ${what}`;
  console.log(`${line} (${names.size} files)`);
  if (size > budget) process.exitCode = 1;
}
