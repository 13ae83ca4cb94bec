import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import classes from './tips.module.css';

/** How long the pointer rests before something is said. */
const delay = 500;
const gap = 6;
const margin = 8;

interface Tip {
  text: string;
  at: DOMRect;
}

/**
 * Says what stands in `data-tip` of the element under the pointer or with the
 * keyboard's focus. One layer for the page: a list of a thousand rows costs
 * nothing, and no library is needed to place a line of text.
 */
export function Tips() {
  const [tip, setTip] = useState<Tip>();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => watch(setTip), []);
  useLayoutEffect(() => {
    if (box.current && tip) place(box.current, tip.at);
  }, [tip]);
  if (!tip) return null;
  return (
    <div ref={box} id="tip" role="tooltip" className={classes.tip}>
      {tip.text}
    </div>
  );
}

function place(box: HTMLElement, at: DOMRect): void {
  const { offsetWidth, offsetHeight } = box;
  const middle = at.left + (at.width - offsetWidth) / 2;
  const left = Math.max(margin, Math.min(middle, window.innerWidth - offsetWidth - margin));
  const above = at.top - offsetHeight - gap;
  box.style.translate = `${left}px ${above < margin ? at.bottom + gap : above}px`;
}

function watch(show: (tip: Tip | undefined) => void): () => void {
  let anchor: Element | null = null;
  let timer: ReturnType<typeof setTimeout>;
  const leave = () => {
    clearTimeout(timer);
    if (anchor?.getAttribute('aria-describedby') === 'tip')
      anchor.removeAttribute('aria-describedby');
    anchor = null;
    show(undefined);
  };
  const enter = (next: Element | null) => {
    if (next === anchor) return;
    leave();
    anchor = next;
    if (!next) return;
    timer = setTimeout(() => {
      const text = next.getAttribute('data-tip');
      if (!text || !next.isConnected) return;
      if (next.getAttribute('aria-label') !== text) next.setAttribute('aria-describedby', 'tip');
      show({ text, at: next.getBoundingClientRect() });
    }, delay);
  };
  const tipped = (e: Event) =>
    e.target instanceof Element ? e.target.closest('[data-tip]') : null;

  const stop = new AbortController();
  const on = (name: string, act: (e: Event) => void) =>
    document.addEventListener(name, act, { signal: stop.signal, capture: true });
  on('pointerover', (e) => (e as PointerEvent).pointerType !== 'touch' && enter(tipped(e)));
  on('focusin', (e) => (e.target as Element).matches(':focus-visible') && enter(tipped(e)));
  on('keydown', (e) => (e as KeyboardEvent).key === 'Escape' && leave());
  for (const over of ['pointerdown', 'focusout', 'scroll']) on(over, leave);
  return () => {
    stop.abort();
    leave();
  };
}
