// The first load (everything index.html pulls in at once, with its style and
// the font it needs to show text) stays under 250 kB gzipped.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const budget = 250_000;
const dist = new URL('../dist/', import.meta.url);
const html = readFileSync(new URL('index.html', dist), 'utf8');
const linked = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((m) => m[1]);
const fonts = readdirSync(new URL('assets/', dist))
  .filter((f) => /^inter-latin-wght-normal.*\.woff2$/.test(f))
  .map((f) => `assets/${f}`);

let total = 0;
for (const name of ['index.html', ...linked, ...fonts]) {
  const bytes = gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length;
  total += bytes;
  console.log(`${(bytes / 1000).toFixed(1).padStart(8)} kB gz  ${name}`);
}
console.log(`${(total / 1000).toFixed(1).padStart(8)} kB gz  first load (budget ${budget / 1000})`);
if (total > budget) process.exit(1);
