import { createContext, use, useEffect, useReducer, useSyncExternalStore } from 'react';
import type { Engine, Summary } from '@/upload/engine';

const EngineContext = createContext<Engine | null>(null);

export const EngineProvider = EngineContext;

export function useEngine(): Engine {
  const engine = use(EngineContext);
  if (!engine) throw new Error('no upload engine around this component');
  return engine;
}

/**
 * Draws anew when the engine has news, and each second while it works, for
 * speeds and countdowns.
 */
export function useSummary(): Summary {
  const engine = useEngine();
  useSyncExternalStore(engine.subscribe, engine.version);
  const [, tick] = useReducer((n: number) => n + 1, 0);
  const { busy } = engine;
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [busy]);
  return engine.summary();
}
