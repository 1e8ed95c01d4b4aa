import { compress, decompress } from './compression.ts';
import { ENVELOPE_VERSION, PAYLOAD_COMPRESSED, PAYLOAD_ENCRYPTED } from './envelope.ts';
import { TierkitError } from './errors.ts';
import { createKeyring, type KeyringOptions } from './keyring.ts';

/** A payload and the flags of the envelope that tell how it was written. */
export interface Sealed {
  readonly flags: number;
  readonly payload: Buffer;
}

/** What happens to an encoded value between the codec and the envelope. */
export interface Sealer {
  /** @throws {TierkitError} `ERR_VALUE_KEY_MISSING`: there is no key to encrypt with. */
  requireKey(): void;
  /**
   * Compresses what is large enough and gains by it, then encrypts what is sensitive.
   *
   * @param place where the payload will be: {@link Sealer.open} refuses one that was encrypted for another
   * @throws {TierkitError} `ERR_VALUE_KEY_MISSING`: sensitive, and there is no key.
   */
  seal(plain: Buffer, place: string, sensitive: boolean): Sealed;
  /**
   * The encoded value, of which no more than the size bound is ever made; `'unknown'` if its key is not here.
   *
   * @throws {TierkitError} `ERR_VALUE_CORRUPT`: not authentic, not from this place, or not within the size bound.
   */
  open(sealed: Sealed, place: string): Buffer | 'unknown';
}

export interface SealerOptions {
  /** Goes before every place: what two stores with the same places must not have in common. @default '' */
  readonly realm?: string | undefined;
  /** The most that decompressing may give, in bytes. */
  readonly maxBytes: number;
  /** Payloads of at least as many bytes are compressed. @default none is */
  readonly compressFromBytes?: number | undefined;
  readonly keyring?: KeyringOptions | undefined;
}

/** @throws {TierkitError} `ERR_KEYRING_INVALID`: an id or a key of the wrong form, or no current key. */
export function createSealer(options: SealerOptions): Sealer {
  const { maxBytes, compressFromBytes = Infinity, realm = '' } = options;
  const keyring = options.keyring === undefined ? undefined : createKeyring(options.keyring);

  /** Flags are bound too: a compressed payload cannot be passed off as one that is not. */
  const context = (flags: number, place: string): string =>
    `tierkit ${ENVELOPE_VERSION} ${flags} ${realm.length} ${realm}${place}`;

  return {
    requireKey() {
      if (keyring === undefined) throw keyMissing();
    },

    seal(plain, place, sensitive) {
      const compressed = plain.length >= compressFromBytes ? compress(plain) : undefined;
      const payload = compressed ?? plain;
      const flags = compressed === undefined ? 0 : PAYLOAD_COMPRESSED;
      if (!sensitive) return { flags, payload };
      if (keyring === undefined) throw keyMissing();
      const encrypted = flags | PAYLOAD_ENCRYPTED;
      return { flags: encrypted, payload: keyring.seal(payload, context(encrypted, place)) };
    },

    open({ flags, payload }, place) {
      let plain = payload;
      if ((flags & PAYLOAD_ENCRYPTED) !== 0) {
        const opened = keyring === undefined ? 'unknown' : keyring.open(payload, context(flags, place));
        if (opened === 'unknown') return 'unknown';
        if (opened === 'corrupt') throw new TierkitError('ERR_VALUE_CORRUPT', 'the value is not authentic');
        plain = opened;
      }
      return (flags & PAYLOAD_COMPRESSED) === 0 ? plain : decompress(plain, maxBytes);
    },
  };
}

function keyMissing(): TierkitError<'ERR_VALUE_KEY_MISSING'> {
  return new TierkitError('ERR_VALUE_KEY_MISSING', 'a sensitive value needs a key to encrypt it with');
}
