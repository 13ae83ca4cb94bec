/**
 * Fetches what the first screen did not need, so that it is there when wanted:
 * a dialog must open without a network, too, and after the server was upgraded.
 */
export function preloadWhenIdle(): void {
  const idle = window.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 1500));
  idle(() => {
    const parts = [
      import('@/features/account/sign-in'),
      import('./signed-in'),
      import('@/features/files/details'),
      import('@/features/files/questions'),
      import('@/features/files/thumb'),
      import('@/features/shares/dialog'),
      import('@/features/transfers/panel'),
      import('@/features/transfers/buttons'),
      import('@/features/transfers/timeline'),
      import('@/ui/menu-body'),
      import('@/upload/compute'),
    ];
    for (const part of parts) part.catch(() => {}); // asked for again when needed
  });
}
