import { cached, createTiers, invalidates } from '@tierkit/cache';
import { z } from 'zod';

const tiers = createTiers({ redis: process.env['REDIS_URL'] ?? 'memory', prefix: 'example:define:' });
await tiers.ready();
await tiers.global.clear();

const user = tiers.global.define({
  name: 'user',
  key: (id: string) => ['user', id],
  schema: z.object({ name: z.string(), plan: z.string().default('free') }),
  load: async (id) => {
    console.log('loading user', id);
    return { name: `user ${id}` };
  },
  ttl: '10m',
});

// What an older release left behind does not pass the schema: it is a miss.
await tiers.global.set(user.key('42'), { fullName: 'Ann' });
console.log('user:', await user.get('42'));
console.log('users:', await user.getMany(['42', '43']));

class Tasks {
  readonly project: string;

  constructor(project: string) {
    this.project = project;
  }

  @cached({ scope: (self: Tasks) => tiers.project(self.project), prefix: 'tasks', ttl: '1m' })
  async list(filter: { done: boolean }): Promise<string[]> {
    console.log('listing tasks of', this.project);
    return filter.done ? ['write'] : ['read'];
  }

  @invalidates({ scope: (self: Tasks) => tiers.project(self.project), patterns: ['tasks:*'] })
  async save(task: string): Promise<string> {
    return `saved ${task}`;
  }
}

const tasks = new Tasks('p1');
console.log(await tasks.list({ done: true }), await tasks.list({ done: true }));
console.log(await tasks.save('write more'));
console.log(await tasks.list({ done: true }));

await tiers.project('p1').clear();
await tiers.global.clear();
await tiers.close();
