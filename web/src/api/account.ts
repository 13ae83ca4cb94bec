// The operations of the API on one's own account.

import { call, request, session, signInFrom, withToken } from './call';
import { ApiError, readReply } from './error';
import type { Body, Data, Login, User } from './model';
import { askDevice, makePasskey, type PublicKey } from './passkey';

export type Setting = Data<'getUserSetting'>;
export type Device = Data<'listDevices'>['devices'][number];
export type Passkey = Data<'addPasskey'>;

/** The second step of a sign-in. */
export async function finishSignIn(ticket: string, code: string): Promise<void> {
  const body: Body<'finishToken'> = { session_id: ticket, otp: code };
  const login = await call<Login>('POST', '/session/token/2fa', { body, anonymous: true });
  session.begin(signInFrom(login.user, login.token));
}

export async function signInByPasskey(): Promise<void> {
  const asked = await call<Data<'askPasskey'>>('PUT', '/session/authn', { anonymous: true });
  const response = await askDevice(asked.options as PublicKey);
  const body: Body<'createTokenByPasskey'> = { session_id: asked.session_id, response };
  const login = await call<Login>('POST', '/session/authn', { body, anonymous: true });
  session.begin(signInFrom(login.user, login.token));
}

export async function addPasskey(name: string): Promise<Passkey> {
  const options = await call<Data<'offerPasskey'>>('PUT', '/user/authn');
  const response = await makePasskey(options as unknown as PublicKey);
  const body: Body<'addPasskey'> = { response, name };
  return call<Passkey>('POST', '/user/authn', { body });
}

export function deletePasskey(id: string) {
  return call<void>('DELETE', '/user/authn', { query: { id } });
}

export function setting({ signal }: { signal?: AbortSignal } = {}) {
  return call<Setting>('GET', '/user/setting', { signal });
}

/** Changes what is named, and shows it in this browser at once. */
export async function changeSetting(body: Body<'patchUserSetting'>): Promise<void> {
  await call<void>('PATCH', '/user/setting', { body });
  await refreshUser();
}

export function offerFactor() {
  return call<Data<'offerSecondFactor'>>('GET', '/user/setting/2fa');
}

/** New recovery codes, instead of those there were; `switchOn`: with what was offered. */
export async function makeRecoveryCodes(code: string, switchOn: boolean): Promise<string[]> {
  const body: Body<'makeRecoveryCodes'> = { two_fa_code: code, switch_on: switchOn };
  const made = await call<Data<'makeRecoveryCodes'>>('POST', '/user/setting/2fa', { body });
  return made.codes;
}

export function devices({ signal }: { signal?: AbortSignal } = {}) {
  return call<Data<'listDevices'>>('GET', '/user/session', { signal });
}

export function endDevice(id: string) {
  return call<void>('DELETE', `/user/session/${encodeURIComponent(id)}`);
}

export function endOtherDevices() {
  return call<void>('DELETE', '/user/session');
}

/** Sets the picture; `undefined` takes it away. */
export async function setPicture(image: Blob | undefined): Promise<void> {
  await withToken(async (token) => {
    const { url, headers, correlationId } = request('/user/setting/avatar', token);
    const init = { method: 'PUT', headers, body: image ?? null };
    const reply = await fetch(url, init).catch((cause) => {
      throw new ApiError({ kind: 'network', message: String(cause), correlationId });
    });
    const text = await reply.text();
    return readReply({ status: reply.status, text, retryAfter: null, correlationId });
  });
  await refreshUser();
}

/** Where the picture of a user is; `version` makes a browser look again. */
export function pictureUrl(id: string, version: number): string {
  return `/api/v4/user/avatar/${encodeURIComponent(id)}?v=${version}`;
}

async function refreshUser(): Promise<void> {
  const user = await call<User>('GET', '/user/me');
  const now = session.current();
  if (now) session.begin({ ...now, user });
}
