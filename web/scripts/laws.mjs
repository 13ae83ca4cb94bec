// Checks what the type checker and the linter cannot: which room may import
// which, how long a file may be, and that every text is used.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = resolve(dirname(fileURLToPath(import.meta.url)), '../src');
const maxFile = 300;

// A room may import itself and the rooms named here.
const mayImport = {
  lib: [],
  ui: ['lib'],
  api: ['lib'],
  upload: ['api', 'lib'],
  features: ['upload', 'api', 'ui', 'lib'],
  app: ['features', 'upload', 'api', 'ui', 'lib'],
  test: ['app', 'features', 'upload', 'api', 'ui', 'lib'],
  'main.tsx': ['app', 'ui', 'lib'],
};
// Rooms that must work without the page.
const noReact = ['lib', 'api', 'upload'];
const reactNeeded = /^(react|react-dom|react-i18next|@mantine\/|@tabler\/)/;

const problems = [];
const complain = (file, why) => problems.push(`${relative(dirname(src), file)}: ${why}`);

function filesUnder(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/** The room of a file; each feature is a room of its own. */
function roomOf(file) {
  const [room, feature] = relative(src, file).split(sep);
  return room === 'features' ? `features/${feature}` : room;
}

const isTest = (file) => /\.test\.tsx?$/.test(file) || file.startsWith(join(src, 'test'));
const code = filesUnder(src).filter((f) => /\.tsx?$/.test(f) && !f.endsWith('.gen.ts'));

for (const file of code) {
  const text = readFileSync(file, 'utf8');
  const room = roomOf(file);
  const allowed = mayImport[room.split('/')[0]];
  if (!allowed) complain(file, `"${room}" is not a room`);
  const lines = text.split('\n').length - 1;
  if (lines > maxFile && !isTest(file)) complain(file, `${lines} lines, the most is ${maxFile}`);

  for (const [, spec] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (noReact.includes(room) && reactNeeded.test(spec) && !isTest(file))
      complain(file, `${room} must work without React, but imports ${spec}`);
    let target;
    if (spec.startsWith('@/')) target = join(src, spec.slice(2));
    else if (spec.startsWith('.')) target = resolve(dirname(file), spec);
    else continue;
    const to = roomOf(target);
    if (to === room || isTest(file)) continue;
    if (to.startsWith('features/') && room.startsWith('features/'))
      complain(file, `features never import each other: ${spec}`);
    else if (allowed && !allowed.includes(to.split('/')[0]))
      complain(file, `${room} must not import ${to}`);
  }
}

// Texts: `t('…')` with a missing key is a type error; here the other way round.
const flatten = (node, at = '') =>
  Object.entries(node).flatMap(([key, value]) =>
    typeof value === 'string' ? [at + key] : flatten(value, `${at}${key}.`),
  );
const everything = code.map((f) => readFileSync(f, 'utf8')).join('\n');
const locale = (name) => JSON.parse(readFileSync(join(src, 'lib/locales', name), 'utf8'));
const texts = flatten({ ...locale('en.json'), admin: locale('en-admin.json') });
for (const key of new Set(texts.map((k) => k.replace(/_(one|other|zero)$/, '')))) {
  // Built keys: `failure.${name}.what`, `nameProblem.${problem}`.
  const built = key
    .split('.')
    .slice(0, -1)
    .map((_, i, all) => all.slice(0, i + 1).join('.'));
  if (!everything.includes(`'${key}'`) && !built.some((b) => everything.includes(`\`${b}.\${`)))
    problems.push(`src/lib/locales: "${key}" is not used`);
}

for (const line of problems) console.error(line);
if (problems.length > 0) process.exit(1);
console.log(`laws: ${code.length} files, ${texts.length} texts, all in order`);
