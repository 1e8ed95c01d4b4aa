import { createQuota } from '@tierkit/quota';

const quota = createQuota(
  { cost_micros: { per: 'day', limit: 10_000 } },
  { redis: process.env['REDIS_URL'] ?? 'memory', prefix: `example:${process.pid}:` },
);
await quota.ready();

async function callModel(prompt: string): Promise<{ text: string; cost: number }> {
  if (prompt === '') throw new Error('nothing to say');
  return { text: prompt.toUpperCase(), cost: prompt.length * 100 };
}

/** Keeps room for what it may cost at most, and counts what it cost. */
async function ask(user: string, prompt: string): Promise<string> {
  const { hold, refusal } = await quota.reserve(user, { cost_micros: 6_000 }, { ttl: '2m' });
  if (hold === undefined) return `refused, only ${refusal?.remaining} left`;
  try {
    const { text, cost } = await callModel(prompt);
    await hold.commit({ cost_micros: cost });
    return text;
  } catch (error) {
    await hold.release();
    throw error;
  }
}

console.log(await Promise.all([ask('ann', 'first'), ask('ann', 'second')]));
console.log(await ask('ann', 'third'));
await ask('ann', '').catch((error: unknown) => console.log(String(error)));
console.log((await quota.usage('ann')).cost_micros.day.used);
await quota.close();
