/** Removes what it was told to keep secret from text. */
export type Redact = (text: string) => string;

const USERINFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi;

/** A function that replaces these secrets, as they are and percent-encoded, and the userinfo of any URL. */
export function redactor(secrets: readonly (string | null | undefined)[]): Redact {
  const known = new Set<string>();
  for (const secret of secrets) {
    if (!secret) continue;
    known.add(secret).add(encodeURIComponent(secret));
  }
  // The longest first, so that a secret inside another one leaves nothing of it behind.
  const ordered = [...known].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((rest, secret) => rest.replaceAll(secret, '***'), text).replace(USERINFO, '$1***@');
}
