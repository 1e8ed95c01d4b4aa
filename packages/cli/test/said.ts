/** What a run of the command said. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What stdout holds as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export function said(code: number | null, stdout: string, stderr: string): Said {
  return { code, stdout, stderr, json: <T>() => parsed<T>(stdout, stderr) };
}

function parsed<T>(stdout: string, stderr: string): T {
  if (stdout === '') throw new Error(`it said nothing but:\n${stderr}`);
  return JSON.parse(stdout) as T;
}
