// The operations of the API that the page uses, one function each.

import { uuid } from '@/lib/random';
import { type CallOptions, call, session, signInFrom } from './call';
import { ApiError, Code, readReply } from './error';
import type { Body, Data, LockInfo, Login } from './model';

type Signal = { signal?: AbortSignal | undefined };

export interface ListRequest {
  uri: string;
  orderBy: 'name' | 'size' | 'updated_at';
  direction: 'asc' | 'desc';
  token?: string | undefined;
}

export function listFiles(request: ListRequest, { signal }: Signal = {}) {
  const query: CallOptions['query'] = {
    uri: request.uri,
    // Small at first, to be there at once; then as much as the server gives.
    page_size: request.token ? 2000 : 500,
    order_by: request.orderBy,
    order_direction: request.direction,
    next_page_token: request.token,
  };
  return call<Data<'listFiles'>>('GET', '/file', { query, signal });
}

export function fileInfo(uri: string, { signal }: Signal = {}) {
  return call<Data<'fileInfo'>>('GET', '/file/info', { query: { uri, extended: 'true' }, signal });
}

export function createFolder(uri: string, errOnConflict: boolean, { signal }: Signal = {}) {
  const body: Body<'createFile'> = { uri, type: 'folder', err_on_conflict: errOnConflict };
  return call<Data<'createFile'>>('POST', '/file/create', { body, signal });
}

export function renameFile(uri: string, newName: string) {
  const body: Body<'renameFile'> = { uri, new_name: newName };
  return call<Data<'renameFile'>>('POST', '/file/rename', { body });
}

/** Into the trash, or for good. */
export function deleteFiles(uris: string[], forever = false) {
  const body: Body<'deleteFiles'> = { uris, unlink: false, skip_soft_delete: forever };
  return call<void>('DELETE', '/file', { body });
}

export function moveFiles(uris: string[], dst: string, copy: boolean) {
  const body: Body<'moveFiles'> = { uris, dst, copy };
  return call<void>('POST', '/file/move', { body });
}

export function restoreFiles(uris: string[]) {
  const body: Body<'restoreFiles'> = { uris };
  return call<void>('POST', '/file/restore', { body });
}

export function emptyTrash() {
  return call<void>('DELETE', '/file/trash');
}

export function setCurrentVersion(uri: string, version: string) {
  const body: Body<'setCurrentVersion'> = { uri, version };
  return call<void>('POST', '/file/version/current', { body });
}

export function deleteVersion(uri: string, version: string) {
  const body: Body<'deleteVersion'> = { uri, version };
  return call<void>('DELETE', '/file/version', { body });
}

export function unlock(tokens: string[]) {
  const body: Body<'deleteLocks'> = { tokens };
  return call<void>('DELETE', '/file/lock', { body });
}

/** The address of a file's bytes. */
export function downloadUrl(uri: string, version?: string): Promise<string> {
  return addressOf({ uris: [uri], download: true, ...(version && { entity: version }) });
}

/** The address of many files as one zip. */
export function archiveUrl(uris: string[]): Promise<string> {
  return addressOf({ uris, archive: true });
}

async function addressOf(body: object): Promise<string> {
  const { urls } = await call<Data<'createFileURL'>>('POST', '/file/url', { body });
  return addressHere(urls[0]?.url ?? '');
}

/**
 * An address of this server is made relative: a wrong site URL in the settings
 * must not break what the page fetches.
 */
export function addressHere(text: string): string {
  const url = new URL(text, window.location.origin);
  return url.pathname.startsWith('/api/v4/') ? url.pathname + url.search : url.href;
}

/**
 * Throws why the bytes at an address of this server cannot be had. A download is
 * the browser's affair: it would save a refusal as if it were the file.
 */
export async function checkDownload(href: string): Promise<void> {
  if (!href.startsWith('/')) return;
  const correlationId = uuid();
  const ask = (method: string) =>
    fetch(href, { method, headers: { 'X-Cr-Correlation-Id': correlationId }, cache: 'no-store' });
  let reply: Response;
  let text = '';
  try {
    reply = await ask('HEAD');
    const refusal = reply.headers.get('Content-Type')?.startsWith('application/json');
    if (reply.ok && (!refusal || reply.headers.has('Content-Disposition'))) return;
    if (reply.status !== 404) text = await (await ask('GET')).text();
  } catch (cause) {
    throw new ApiError({ kind: 'network', message: String(cause), correlationId });
  }
  if (reply.status === 404)
    throw new ApiError({
      kind: 'refused',
      code: Code.io,
      message: 'The stored bytes of this file are missing or damaged',
      correlationId,
    });
  readReply({ status: reply.status, text, retryAfter: null, correlationId });
}

export function createUpload(body: Body<'createUploadSession'>, { signal }: Signal = {}) {
  return call<Data<'createUploadSession'>>('PUT', '/file/upload', { body, signal });
}

export function showUpload(id: string, { signal }: Signal = {}) {
  return call<Data<'showUpload'>>('GET', `/file/upload/${encodeURIComponent(id)}`, { signal });
}

/** Where the parts of an upload go, and which of them the store has. */
export function uploadAddresses(id: string, from: number, stored: boolean, signal: AbortSignal) {
  const path = `/file/upload/${encodeURIComponent(id)}/addresses?from=${from}&stored=${stored}`;
  return call<Data<'listUploadAddresses'>>('GET', path, { signal });
}

/** Says that an upload past the server is complete. */
export function finishUpload(kind: string, id: string, secret: string, signal: AbortSignal) {
  const path = `/callback/${kind}/${encodeURIComponent(id)}/${encodeURIComponent(secret)}`;
  return call<void>('GET', path, { signal, anonymous: true });
}

export function uploadTimeline(id: string, { signal }: Signal = {}) {
  const path = `/file/upload/${encodeURIComponent(id)}/timeline`;
  return call<Data<'showUploadTimeline'>>('GET', path, { signal });
}

export function listUploads({ signal }: Signal = {}) {
  return call<Data<'listUploads'>>('GET', '/file/upload', { signal });
}

export function discardUpload(id: string, uri: string) {
  const body: Body<'deleteUploadSession'> = { id, uri };
  return call<void>('DELETE', '/file/upload', { body });
}

export function capacity({ signal }: Signal = {}) {
  return call<Data<'getCapacity'>>('GET', '/user/capacity', { signal });
}

export function siteLogin({ signal }: Signal = {}) {
  return call<{ setup_required?: boolean; authn?: boolean }>('GET', '/site/config/login', {
    anonymous: true,
    signal,
  });
}

export function siteBasic({ signal }: Signal = {}) {
  return call<{ title?: string }>('GET', '/site/config/basic', { anonymous: true, signal });
}

/** Signs in, or returns the ticket for the second step where an account has one. */
export async function signIn(email: string, password: string): Promise<string | undefined> {
  const body: Body<'createToken'> = { email, password };
  try {
    const login = await call<Login>('POST', '/session/token', { body, anonymous: true });
    session.begin(signInFrom(login.user, login.token));
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.is(Code.moreNeeded)) return String(error.data);
    throw error;
  }
}

export async function setUp(body: Body<'setUpSite'>): Promise<void> {
  const login = await call<Login>('POST', '/site/setup', { body, anonymous: true });
  session.begin(signInFrom(login.user, login.token));
}

/** Ends the sign-in here at once; the server is told if it can be reached. */
export async function signOut(): Promise<void> {
  const refreshToken = session.current()?.refreshToken;
  session.end();
  if (!refreshToken) return;
  const body: Body<'deleteToken'> = { refresh_token: refreshToken };
  await call<void>('DELETE', '/session/token', { body, anonymous: true }).catch(() => {});
}

/** Who holds the lock that refused a call, if the server said so (40073). */
export function locksOf(error: ApiError): LockInfo[] {
  return error.is(Code.locked) && Array.isArray(error.data) ? (error.data as LockInfo[]) : [];
}
