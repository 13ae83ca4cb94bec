export { EngineProvider, useEngine, useSummary } from './engine';
export { PendingCell } from './pending-cell';
