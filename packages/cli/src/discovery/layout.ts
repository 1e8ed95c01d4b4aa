/**
 * How the keys of the packages read behind the prefix of the service; the tests of this package fail when one of them
 * changes its layout. A part may have a further prefix of its own, which `own` is.
 */

/** `limit:{limiter:subject}:layout`; notes of ids are none. */
export function limitOf(prefix: string, key: string): { own: string; limiter: string; subject: string } | undefined {
  const match = /^([\w.:-]*?)limit:\{([^{}:]+):([^{}]*)\}:(?!id:)/.exec(key.slice(prefix.length));
  if (match === null || !key.startsWith(prefix)) return undefined;
  return { own: match[1] ?? '', limiter: match[2] ?? '', subject: match[3] ?? '' };
}

/** `quota:{subject}:per:period:start`. */
export function quotaOf(
  prefix: string,
  key: string,
): { own: string; subject: string; period: string; startMs: number } | undefined {
  const match = /^([\w.:-]*?)quota:\{([^{}]+)\}:per:(.+):(\d+)$/.exec(key.slice(prefix.length));
  if (match === null || !key.startsWith(prefix)) return undefined;
  return { own: match[1] ?? '', subject: match[2] ?? '', period: match[3] ?? '', startMs: Number(match[4]) };
}

/** `bus:{channel}`, with what belongs to it. */
export function streamOf(prefix: string, key: string): { own: string; channel: string } | undefined {
  const match = /^([\w.:-]*?)bus:\{([^{}]+)\}(?:count|dead|lost)?$/.exec(key.slice(prefix.length));
  if (match === null || !key.startsWith(prefix)) return undefined;
  return { own: match[1] ?? '', channel: (match[2] ?? '').replaceAll('%7B', '{').replaceAll('%7D', '}') };
}

/** `{tierkit}behind:name`, with what belongs to it. */
export function queueOf(prefix: string, key: string): string | undefined {
  return /^\{tierkit\}behind:([a-zA-Z][\w-]{0,63})(?:~\w+)?$/.exec(key.slice(prefix.length))?.[1];
}
