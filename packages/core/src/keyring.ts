import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { TierkitError } from './errors.ts';

export interface KeyringOptions {
  /** The keys by id, 32 bytes each, as a Buffer or as base64. An id takes letters, digits and `_ . -`, 32 at most. */
  readonly keys: Readonly<Record<string, Uint8Array | string>>;
  /** The id of the key that encrypts; all of them decrypt. */
  readonly current: string;
}

/** Encrypts with one key and decrypts with several, so that keys can be replaced while old values are about. */
export interface Keyring {
  /** @param context what the bytes are bound to: {@link Keyring.open} needs the same */
  seal(plain: Buffer, context: string): Buffer;
  /** @returns what was sealed; `'unknown'` for a key that is not here, `'corrupt'` for all else that is not authentic */
  open(sealed: Buffer, context: string): Buffer | 'unknown' | 'corrupt';
}

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[\w.-]{1,32}$/;
const BASE64_OF_32_BYTES = /^[\w+/-]{43}=?$/;

/**
 * A keyring on AES-256-GCM with a random IV of 12 bytes, so one key is good for about four thousand million values.
 *
 * Sealed bytes are the length of the key's id, the id, the IV, the ciphertext and a tag of 16 bytes.
 *
 * @throws {TierkitError} `ERR_KEYRING_INVALID`: an id or a key of the wrong form, or no current key. No key is in the
 * error.
 */
export function createKeyring(options: KeyringOptions): Keyring {
  const { current } = options;
  const given: unknown = options.keys;
  if (typeof given !== 'object' || given === null) throw invalid('keys must be an object of keys by id');
  const keys = new Map(Object.entries(given).map(([id, key]) => [id, secretKey(id, key)]));
  const currentKey = keys.get(current);
  if (currentKey === undefined) throw invalid('current names none of the keys');
  const prologue = Buffer.concat([Buffer.of(current.length), Buffer.from(current, 'latin1')]);

  return {
    seal(plain, context) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, currentKey, iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(associated(prologue, context));
      const ciphertext = cipher.update(plain);
      cipher.final();
      return Buffer.concat([prologue, iv, ciphertext, cipher.getAuthTag()]);
    },

    open(sealed, context) {
      const ivAt = 1 + (sealed[0] ?? 0);
      const ciphertextAt = ivAt + IV_BYTES;
      const tagAt = sealed.length - TAG_BYTES;
      if (tagAt < ciphertextAt) return 'corrupt';
      const id = sealed.toString('latin1', 1, ivAt);
      const key = keys.get(id);
      if (key === undefined) return KEY_ID.test(id) ? 'unknown' : 'corrupt';
      const iv = sealed.subarray(ivAt, ciphertextAt);
      const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(associated(sealed.subarray(0, ivAt), context));
      decipher.setAuthTag(sealed.subarray(tagAt));
      const plain = decipher.update(sealed.subarray(ciphertextAt, tagAt));
      try {
        decipher.final();
      } catch {
        return 'corrupt';
      }
      return plain;
    },
  };
}

/** The id's length comes first, so no two pairs of id and context read the same. */
function associated(prologue: Buffer, context: string): Buffer {
  return Buffer.concat([prologue, Buffer.from(context)]);
}

function secretKey(id: string, key: unknown): KeyObject {
  if (!KEY_ID.test(id)) throw invalid('an id takes letters, digits and _ . -, 32 at most', id);
  if (typeof key === 'string' && !BASE64_OF_32_BYTES.test(key)) throw invalid('a text must be base64 of 32 bytes', id);
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : key;
  if (!(bytes instanceof Uint8Array) || bytes.length !== KEY_BYTES) throw invalid('a key must be 32 bytes', id);
  return createSecretKey(bytes);
}

function invalid(rule: string, id?: string): TierkitError<'ERR_KEYRING_INVALID'> {
  return new TierkitError('ERR_KEYRING_INVALID', rule, id === undefined ? {} : { details: { id } });
}
