import { appendFileSync } from 'node:fs';

/**
 * Appends what an instance is asked for to the file that DEMO_TRACE names, a line a path: instance, project, operation,
 * path. `packages/cache/bench/prefetch.bench.ts` measures on such a trace.
 */
export function recordAccess(instance: string, operation: string, request: unknown): void {
  const file = process.env['DEMO_TRACE'];
  if (file === undefined || typeof request !== 'object' || request === null || !('project' in request)) return;
  const { project, paths, path } = request as { project: string; paths?: readonly string[]; path?: string };
  const lines = (paths ?? [path ?? '']).map((each) => [instance, project, operation, each].join('\t'));
  appendFileSync(file, `${lines.join('\n')}\n`);
}
