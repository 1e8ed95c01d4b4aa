import { TierkitError } from '@tierkit/core';
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';

/** Text, or its bytes as UTF-8; bytes that are no UTF-8 count as they are. */
export type Content = string | Uint8Array;

/** Turns texts that shall share a result into one. */
export type Normalise = (text: string) => string;

/**
 * Line ends become `\n`, and spaces and tabs at the end of a line go. No line and no column before them moves, so what
 * was found at a position is at that position in every text with this normal form. The time is linear.
 */
export function normaliseLines(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  for (const [index, line] of lines.entries()) {
    const end = endOfLine(line);
    if (end < line.length) lines[index] = line.slice(0, end);
  }
  return lines.join('\n');
}

/**
 * The SHA-256 of a normalised content, in hexadecimal.
 *
 * Bytes that are no UTF-8 and text that holds half a surrogate pair have no faithful text: they are not normalised, and
 * their hashes are marked, so that they meet no other content.
 *
 * @throws {TierkitError} `ERR_CONTENT_INVALID`: neither text nor bytes, or more than `maxBytes` of them
 */
export function hashContent(content: Content, normalise: Normalise | false, maxBytes: number): string {
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) throw invalid('content must be text or bytes');
  const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
  if (bytes > maxBytes) throw invalid(`content of ${bytes} bytes is over the limit of ${maxBytes}`);
  if (typeof content === 'string') {
    if (content.isWellFormed()) return sha256(normalise === false ? content : normalise(content));
    return `utf16-${sha256(Buffer.from(content, 'utf16le'))}`;
  }
  if (!isUtf8(content)) return `bytes-${sha256(content)}`;
  if (normalise === false) return sha256(content);
  return sha256(normalise(Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8')));
}

function endOfLine(line: string): number {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--;
  return end;
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function invalid(message: string): TierkitError<'ERR_CONTENT_INVALID'> {
  return new TierkitError('ERR_CONTENT_INVALID', message);
}
