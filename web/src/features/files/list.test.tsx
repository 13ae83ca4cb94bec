// @vitest-environment jsdom
import { act, cleanup, renderHook } from '@testing-library/react';
import type { KeyboardEvent } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { uriOf } from '@/lib/path';
import { onListKey } from './keys';
import type { Item } from './listing';
import { useSelection } from './selection';

afterEach(cleanup);

const item = (name: string, folder = false): Item => ({
  uri: uriOf([name]),
  path: [name],
  name,
  folded: name,
  folder,
  size: 1,
  changedAt: 0,
  version: name,
  pending: false,
  sessionId: undefined,
  damaged: false,
});
const items = [item('docs', true), ...['a', 'b', 'c', 'd'].map((n) => item(n))];

function setup(columns = 1, list = items) {
  const actions = { open: vi.fn(), up: vi.fn(), rename: vi.fn(), remove: vi.fn() };
  const hook = renderHook(({ shown }) => useSelection(shown), { initialProps: { shown: list } });
  const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
    act(() => {
      const e = { key, preventDefault: vi.fn(), ...more } as unknown as KeyboardEvent;
      const shape = { count: list.length, columns, page: 3 };
      onListKey(e, shape, list, hook.result.current, actions);
    });
  const chosen = () => hook.result.current.items.map((i) => i.name);
  return { actions, hook, press, chosen };
}

describe('the keyboard in a list of files', () => {
  test('arrows choose one, with shift a range, Home and End go to the ends', () => {
    const { press, chosen } = setup();
    press('ArrowDown');
    press('ArrowDown');
    expect(chosen()).toEqual(['a']);
    press('ArrowDown', { shiftKey: true });
    press('ArrowDown', { shiftKey: true });
    expect(chosen()).toEqual(['a', 'b', 'c']);
    press('ArrowUp', { shiftKey: true });
    expect(chosen()).toEqual(['a', 'b']);
    press('End');
    expect(chosen()).toEqual(['d']);
    press('Home');
    expect(chosen()).toEqual(['docs']);
    press('PageDown');
    expect(chosen()).toEqual(['c']);
  });

  test('control moves without choosing, space chooses too', () => {
    const { press, chosen } = setup();
    press('ArrowDown');
    press('ArrowDown', { ctrlKey: true });
    press('ArrowDown', { ctrlKey: true });
    press(' ');
    expect(chosen()).toEqual(['docs', 'b']);
  });

  test('in a grid, up and down move by a row', () => {
    const { press, chosen } = setup(2);
    press('Home');
    press('ArrowDown');
    expect(chosen()).toEqual(['b']);
    press('ArrowLeft');
    expect(chosen()).toEqual(['a']);
  });

  test('Enter opens, F2 renames, Delete deletes all chosen, Backspace goes up', () => {
    const { press, actions } = setup();
    press('Home');
    press('Enter');
    expect(actions.open).toHaveBeenCalledWith(items[0]);
    press('F2');
    expect(actions.rename).toHaveBeenCalledWith(items[0]);
    press('a', { ctrlKey: true });
    press('F2'); // of many none
    expect(actions.rename).toHaveBeenCalledTimes(1);
    press('Delete');
    expect(actions.remove).toHaveBeenCalledWith(items);
    press('Backspace');
    expect(actions.up).toHaveBeenCalled();
  });

  test('Escape clears', () => {
    const { press, chosen } = setup();
    press('a', { metaKey: true });
    expect(chosen().length).toBe(5);
    press('Escape');
    expect(chosen()).toEqual([]);
  });

  test('what is gone is no longer chosen: a delete never hits what is not shown', () => {
    const { press, chosen, hook } = setup();
    press('a', { ctrlKey: true });
    hook.rerender({ shown: items.slice(0, 2) });
    expect(chosen()).toEqual(['docs', 'a']);
  });
});
