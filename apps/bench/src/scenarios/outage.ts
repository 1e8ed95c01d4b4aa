import type { OutageScenario } from '../run-outage.ts';
import { limitGet, loadingSubjects } from '../subjects/loading-subjects.ts';

const subjects = [limitGet, ...loadingSubjects];

/** What callers wait when Redis goes. */
export const outage: readonly OutageScenario[] = [
  { name: 'redis-frozen-longest-call', subjects, strike: (server) => server.process.signal('SIGSTOP') },
  { name: 'redis-killed-longest-call', subjects, strike: (server) => server.process.end('SIGKILL') },
];
