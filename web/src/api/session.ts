// The sign-in of this browser: kept in localStorage, shared by all its windows.
import { Listeners } from '@/lib/observable';
import { underLock } from './lock';
import type { User } from './model';

export interface SignIn {
  user: User;
  accessToken: string;
  refreshToken: string;
  /** By the clock of this machine, whatever the server's says. */
  accessUntil: number;
  refreshUntil: number;
}

const key = 'wharfinger.sign-in';
const lockName = 'wharfinger.refresh';
/** A token that ends within this time is renewed before it is used. */
const margin = 60_000;

/** Fetches new tokens; `undefined` when the refresh token is no longer good. */
export type Renew = (signIn: SignIn) => Promise<SignIn | undefined>;

export class Session {
  private readonly listeners = new Listeners();
  private cache: { text: string; value: SignIn } | undefined;
  private renewing: Promise<SignIn | undefined> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly renew: Renew,
    private readonly now: () => number = Date.now,
  ) {}

  /** Also told when another window signs in or out. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const stop = this.listeners.subscribe(listener);
    const other = (e: StorageEvent) => {
      if (e.key === key || e.key === null) listener();
    };
    globalThis.addEventListener?.('storage', other);
    return () => {
      stop();
      globalThis.removeEventListener?.('storage', other);
    };
  };

  /** The present sign-in; the same object until it changes. */
  readonly current = (): SignIn | undefined => {
    const text = this.storage.getItem(key);
    if (!text) return undefined;
    if (this.cache?.text !== text) {
      const value = parse(text);
      if (!value) return undefined;
      this.cache = { text, value };
    }
    return this.cache.value;
  };

  begin(signIn: SignIn): void {
    this.storage.setItem(key, JSON.stringify(signIn));
    this.listeners.notify();
  }

  end(): void {
    if (this.storage.getItem(key) === null) return;
    this.storage.removeItem(key);
    this.listeners.notify();
  }

  /** A token with some life left, renewed first if need be. */
  async token(): Promise<string | undefined> {
    const signIn = this.current();
    if (!signIn) return undefined;
    if (signIn.accessUntil - this.now() > margin) return signIn.accessToken;
    return (await this.replace(signIn.accessToken))?.accessToken;
  }

  /**
   * A sign-in whose token is not `stale`. However many calls and windows ask,
   * the refresh token is used once: the others find the new one in storage.
   */
  replace(stale: string): Promise<SignIn | undefined> {
    this.renewing ??= underLock(lockName, this.storage, () => this.renewOnce(stale)).finally(() => {
      this.renewing = undefined;
    });
    return this.renewing;
  }

  private async renewOnce(stale: string): Promise<SignIn | undefined> {
    const before = this.current();
    if (!before || before.accessToken !== stale) return before;
    const renewed = await this.renew(before);
    // Signed out, or in as someone else, while the answer was on its way.
    const after = this.current();
    if (after?.refreshToken !== before.refreshToken) return after;
    if (renewed) this.begin(renewed);
    else this.end();
    return renewed;
  }
}

function parse(text: string): SignIn | undefined {
  try {
    const value = JSON.parse(text) as SignIn;
    return value.accessToken && value.user ? value : undefined;
  } catch {
    return undefined;
  }
}
