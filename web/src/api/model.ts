// Names for the generated types, so that the rest of the page never spells
// `components['schemas'][…]`.
import type { components, operations } from './schema.gen';

type Schemas = components['schemas'];

export type User = Schemas['User'];
export type FileObject = Schemas['File'];
export type Entity = Schemas['Entity'];
export type FileList = Schemas['FileList'];
export type Capacity = Schemas['Capacity'];
export type UploadProgress = Schemas['UploadProgress'];
export type UploadTicket = Schemas['UploadTicket'];
export type UploadTimeline = Schemas['UploadTimeline'];
export type UploadEvent = Schemas['UploadEvent'];
export type Durability = NonNullable<Schemas['StoragePolicy']['sync']>;
export type LockInfo = Schemas['LockInfo'];
export type Login = Schemas['Login'];
export type Token = Schemas['Token'];

type Json<O extends keyof operations> = operations[O]['responses'] extends {
  200: { content: { 'application/json': infer Body } };
}
  ? Body
  : never;

/** What a successful call of an operation carries in `data`. */
export type Data<O extends keyof operations> =
  Extract<Json<O>, { code: 0 }> extends {
    data: infer D;
  }
    ? D
    : undefined;

/** The body an operation takes. */
export type Body<O extends keyof operations> = operations[O] extends {
  requestBody: { content: { 'application/json': infer B } };
}
  ? B
  : never;

export const FileType = { file: 0, folder: 1 } as const;

/** The key under which a listing tells of an upload that is not finished. */
export const pendingKey = 'sys:upload_session_id';
