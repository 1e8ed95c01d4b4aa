import type { Setup, Subject } from '../subject.ts';

export const tierkitProject: Subject = {
  name: 'tierkit project scope',
  role: 'ours',
  open: async () => ({ absent: 'not wired yet' }),
};

export const tierkitGlobal: Subject = {
  name: 'tierkit global',
  role: 'ours',
  open: async (_setup: Setup) => ({ absent: 'not wired yet' }),
};
