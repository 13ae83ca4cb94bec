import { serverNow } from '@/api/call';
import { ApiError } from '@/api/error';
import * as api from '@/api/operations';
import { uuid } from '@/lib/random';

export type Page = Awaited<ReturnType<typeof api.uploadAddresses>>;
export type Stored = NonNullable<Page['stored']>[number];

/** Addresses are taken for ended this long before they are: a part is under way for a while. */
const slack = 2 * 60_000;

interface Address {
  url: string;
  headers: Record<string, string>;
  /** By the server's clock. */
  ends: number;
}

/** Where the parts of one upload go: pages of signed addresses, each of which ends some day. */
export class Addresses {
  private readonly known = new Map<number, Address>();
  /** Lanes that lack one ask one after the other: the first brings those of the others. */
  private asked: Promise<unknown> = Promise.resolve();

  constructor(private readonly id: string) {}

  async of(index: number, signal: AbortSignal): Promise<Address> {
    if (!this.fresh(index)) {
      const ask = async () => {
        signal.throwIfAborted();
        if (!this.fresh(index)) await this.page(index, false, signal);
      };
      const turn = this.asked.then(ask, ask);
      this.asked = turn.catch(() => {});
      await turn;
    }
    const address = this.known.get(index);
    if (!address) throw new ApiError({ kind: 'strange', correlationId: uuid() });
    return address;
  }

  /** This one is refused: it ends, with those that are as old. */
  ended({ ends }: Address): void {
    for (const [index, address] of this.known) if (address.ends <= ends) this.known.delete(index);
  }

  /** No longer needed. */
  done(index: number): void {
    this.known.delete(index);
  }

  async page(from: number, stored: boolean, signal: AbortSignal): Promise<Page> {
    const page = await api.uploadAddresses(this.id, from, stored, signal);
    const { headers = {} } = page;
    const ends = Date.parse(page.expires);
    page.upload_urls.forEach((url, i) => {
      this.known.set(page.from + i, { url, headers, ends });
    });
    return page;
  }

  private fresh(index: number): boolean {
    const address = this.known.get(index);
    return address !== undefined && !(address.ends - serverNow() < slack);
  }
}
