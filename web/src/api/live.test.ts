import { expect, test } from 'vitest';
import { parser } from './live';

test('events are read wherever the pieces of the stream end', () => {
  const text =
    'event:subscribed\ndata:<nil>\n\nevent: event\ndata: [{"type":"create"}]\n\nevent:keep-alive\ndata:<nil>\n\n';
  for (let size = 1; size <= text.length; size++) {
    const heard: string[] = [];
    const parse = parser((name, data) => heard.push(`${name} ${data}`));
    for (let i = 0; i < text.length; i += size) parse(text.slice(i, i + size));
    expect(heard).toEqual(['subscribed <nil>', 'event [{"type":"create"}]', 'keep-alive <nil>']);
  }
});
