import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { createTiers, type Tiers, type TiersOptions } from '../src/index.ts';
import { batchLoadsConformance } from './conformance/batch-loads.ts';
import { clearingConformance } from './conformance/clearing.ts';
import { definitionConformance } from './conformance/definitions.ts';
import { entriesConformance } from './conformance/entries.ts';
import { inspectionConformance } from './conformance/inspection.ts';
import { loadsConformance } from './conformance/loads.ts';
import { repositoryConformance } from './conformance/repositories.ts';
import { stalenessConformance } from './conformance/staleness.ts';
import type { Subject } from './conformance/subject.ts';
import { tagsConformance } from './conformance/tags.ts';
import { warmingConformance } from './conformance/warming.ts';
import { writeThroughConformance } from './conformance/write-through.ts';

const CASCADE = {
  org: ['team'],
  team: ['user'],
  user: ['team'],
  'all%': ['team one'],
  'team one': ['user: one'],
};

export interface ConformanceTarget {
  readonly name: string;
  /** What to pass as `redis`. */
  readonly redis: () => Promise<TiersOptions['redis']>;
}

/** What every backend promises: one test for each sentence that a user can rely on. */
export function cacheConformance(target: ConformanceTarget): void {
  describe.each<[string, { l1?: false }]>([
    ['with L1', {}],
    ['without L1', { l1: false }],
  ])(`${target.name} %s`, (_, options) => {
    let tiers: Tiers;
    let count = 0;
    const open = async (settings: Partial<TiersOptions>): Promise<Tiers> => {
      const opened = createTiers({
        redis: await target.redis(),
        prefix: `t${randomBytes(6).toString('hex')}:`,
        ...settings,
      });
      await opened.ready('10s');
      return opened;
    };
    const subject: Subject = {
      fresh: () => tiers.session(`s${count++}`),
      tiers: () => tiers,
      another: () => open({}),
      l1: options.l1 !== false,
    };

    beforeAll(async () => {
      tiers = await open({ reclaim: '50ms', cascade: CASCADE, ...options });
    });
    afterAll(() => tiers.close());

    definitionConformance(subject.fresh);
    repositoryConformance(subject.fresh);
    inspectionConformance(subject.tiers);
    stalenessConformance(subject.fresh);
    entriesConformance(subject);
    loadsConformance(subject);
    batchLoadsConformance(subject);
    warmingConformance(subject);
    writeThroughConformance(subject);
    clearingConformance(subject);
    tagsConformance(subject);
  });
}
