// What a kit costs a service at its start and end: npm run bench does not include it, run it by itself with a Redis:
// REDIS_URL=redis://localhost:6379 node --conditions=@tierkit/source --import tsx bench/start.ts
const importedAtMs = performance.now();
const { createTierkit, fromEnvironment } = await import('../src/index.ts');
const importMs = performance.now() - importedAtMs;

const median = (samples: number[]): string => (samples.sort((a, b) => a - b)[samples.length >> 1] ?? 0).toFixed(2);
const times = { environment: [] as number[], create: [] as number[], ready: [] as number[], close: [] as number[] };

for (let i = 0; i < 50; i++) {
  let atMs = performance.now();
  const lap = (into: number[]): void => {
    into.push(performance.now() - atMs);
    atMs = performance.now();
  };
  const options = fromEnvironment({ ...process.env, LOG_LEVEL: 'silent' });
  lap(times.environment);
  const kit = createTierkit(options);
  lap(times.create);
  await kit.ready();
  lap(times.ready);
  await kit.close();
  lap(times.close);
}
console.log(`import ${importMs.toFixed(0)} ms; median of 50, in ms:`);
for (const [step, samples] of Object.entries(times)) console.log(`  ${step.padEnd(12)} ${median(samples)}`);
