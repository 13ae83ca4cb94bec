// Between the browser's passkeys, which speak in bytes, and the wire, which
// speaks in base64url.

type Json = Record<string, unknown>;
/** What the server gives: options of WebAuthn with their bytes as text. */
export type PublicKey = { publicKey: Json };

export class PasskeyAbandoned extends Error {}

export const passkeysKnown = (): boolean => typeof globalThis.PublicKeyCredential === 'function';

function bytes(text: unknown): ArrayBuffer {
  const plain = atob(String(text).replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0)).buffer;
}

function text(buffer: ArrayBuffer | null): string {
  const plain = Array.from(new Uint8Array(buffer ?? new ArrayBuffer(0)), (b) =>
    String.fromCharCode(b),
  ).join('');
  return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

const keys = (list: unknown) => ((list ?? []) as Json[]).map((k) => ({ ...k, id: bytes(k['id']) }));

/** A credential as JSON text; it throws PasskeyAbandoned when the person gave up. */
async function ask(work: Promise<Credential | null>): Promise<string> {
  const found = await work.catch((cause: unknown) => {
    const gaveUp = cause instanceof DOMException && cause.name === 'NotAllowedError';
    throw gaveUp ? new PasskeyAbandoned() : cause;
  });
  if (!(found instanceof PublicKeyCredential)) throw new PasskeyAbandoned();
  const { response } = found;
  const said: Json = { clientDataJSON: text(response.clientDataJSON) };
  if (response instanceof AuthenticatorAttestationResponse) {
    said['attestationObject'] = text(response.attestationObject);
    said['transports'] = response.getTransports?.() ?? [];
  } else if (response instanceof AuthenticatorAssertionResponse) {
    said['authenticatorData'] = text(response.authenticatorData);
    said['signature'] = text(response.signature);
    said['userHandle'] = text(response.userHandle);
  }
  return JSON.stringify({
    id: found.id,
    rawId: text(found.rawId),
    type: found.type,
    clientExtensionResults: {},
    response: said,
  });
}

export function makePasskey({ publicKey: o }: PublicKey): Promise<string> {
  const user = o['user'] as Json;
  const publicKey = {
    ...o,
    challenge: bytes(o['challenge']),
    user: { ...user, id: bytes(user['id']) },
    excludeCredentials: keys(o['excludeCredentials']),
  } as unknown as PublicKeyCredentialCreationOptions;
  return ask(navigator.credentials.create({ publicKey }));
}

export function askDevice({ publicKey: o }: PublicKey): Promise<string> {
  const publicKey = {
    ...o,
    challenge: bytes(o['challenge']),
    allowCredentials: keys(o['allowCredentials']),
  } as unknown as PublicKeyCredentialRequestOptions;
  return ask(navigator.credentials.get({ publicKey }));
}
