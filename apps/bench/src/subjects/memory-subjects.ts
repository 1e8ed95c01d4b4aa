import type { Subject } from '../subject.ts';
import { asyncCacheDedupe } from './async-cache-dedupe.ts';
import { bentocacheDefault, bentocachePlain } from './bentocache.ts';
import { cacheManager } from './cache-manager.ts';
import { cacheableDefault } from './cacheable.ts';
import { cachifiedSubject } from './cachified.ts';
import { limitObjects } from './limit-objects.ts';
import { tierkitProject } from './tierkit.ts';

/** Whoever keeps entries in process; cacheable without clone keeps the same. */
export const memorySubjects: readonly Subject[] = [
  limitObjects,
  tierkitProject,
  asyncCacheDedupe,
  bentocacheDefault,
  bentocachePlain,
  cacheManager,
  cacheableDefault,
  cachifiedSubject,
];

/** The one with that name. */
export function memorySubject(name: string): Subject {
  const found = memorySubjects.find((subject) => subject.name === name);
  if (found === undefined) throw new Error(`there is no subject ${name}`);
  return found;
}
