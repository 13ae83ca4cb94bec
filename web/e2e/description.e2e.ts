// Programs that know this server by its description alone: one that makes a client of
// what /openapi.json says, and one that judges whether that is a description at all.
// (The other judge is kin-openapi, in test/wire.)
import { Validator } from '@seriousme/openapi-schema-validator';
import { OpenAPIClientAxios } from 'openapi-client-axios';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { email, password, type Server, startServer } from './server';

let server: Server;
let definition: object;

beforeAll(async () => {
  server = await startServer();
  definition = await (await fetch(`${server.url}/api/v4/openapi.json`)).json();
});
afterAll(() => server?.stop());

test('the description is valid by the schema of OpenAPI', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(definition) as never);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

describe('a client made of the description', () => {
  // Calls by operationId: what it may send, and where to, only the description says.
  type Call = (
    params?: Record<string, unknown> | null,
    body?: unknown,
    config?: object,
  ) => Promise<{ data: { code: number; data: never; msg: string } }>;

  async function client(): Promise<Record<string, Call>> {
    const api = new OpenAPIClientAxios({
      definition: definition as never,
      withServer: { url: `${server.url}/api/v4` },
      axiosConfigDefaults: { validateStatus: () => true },
    });
    const made = (await api.init()) as unknown as Record<string, Call>;
    const login = await (made['createToken'] as Call)(null, { email, password });
    const { token } = login.data.data as { token: { access_token: string } };
    (made as never as { defaults: { headers: Record<string, string> } }).defaults.headers[
      'Authorization'
    ] = `Bearer ${token.access_token}`;
    return made;
  }

  test('creates an upload, sends its chunks, cancels another', async () => {
    const api = await client();
    const call = async (operation: string, ...args: Parameters<Call>) => {
      const { data } = await (api[operation] as Call)(...args);
      expect(data, operation).toMatchObject({ code: 0 });
      return data.data as never;
    };
    const size = 70_000_000;
    const uri = 'cloudreve://my/by%20description/big.bin';
    const ticket: { session_id: string; chunk_size: number } = await call(
      'createUploadSession',
      null,
      {
        uri,
        size,
      },
    );
    const content = Buffer.alloc(size, 'wharfinger ');
    const chunks = Math.ceil(size / ticket.chunk_size);
    expect(chunks).toBeGreaterThan(1);
    for (let index = chunks - 1; index >= 0; index--)
      await call(
        'sendChunk',
        { sessionId: ticket.session_id, index },
        content.subarray(index * ticket.chunk_size, (index + 1) * ticket.chunk_size),
        { headers: { 'Content-Type': 'application/octet-stream' }, maxBodyLength: size },
      );
    const { urls }: { urls: { url: string }[] } = await call('createFileURL', null, {
      uris: [uri],
    });
    const there = Buffer.from(await (await fetch(urls[0]?.url as string)).arrayBuffer());
    expect(there.equals(content)).toBe(true);

    const other = 'cloudreve://my/by%20description/other';
    const { session_id: id }: { session_id: string } = await call('createUploadSession', null, {
      uri: other,
      size: 5,
    });
    await call('deleteUploadSession', null, { id, uri: other });
    const gone = await (api['sendChunk'] as Call)(
      { sessionId: id, index: 0 },
      Buffer.from('hello'),
      {
        headers: { 'Content-Type': 'application/octet-stream' },
      },
    );
    expect(gone.data.code).toBe(40011);
  });
});
