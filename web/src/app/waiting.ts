// The sign-in screen tells of uploads that wait for it, but needs no engine.
let count = () => 0;

export function countWaiting(by: () => number): void {
  count = by;
}

export function waitingUploads(): number {
  return count();
}
