export { EngineProvider, useEngine, useSummary } from './engine';
export { PendingCell } from './pending-cell';
export { SessionStory } from './session-story';
