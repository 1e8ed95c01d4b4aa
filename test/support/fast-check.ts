import fc from 'fast-check';

// A fixed seed keeps a red run red; FC_SEED=random explores, and fast-check prints the seed of a failure.
const seed = process.env['FC_SEED'] ?? '20261121';
const runs = Number(process.env['FC_RUNS'] ?? '0');
fc.configureGlobal({
  ...(seed === 'random' ? {} : { seed: Number(seed) }),
  ...(runs > 0 ? { numRuns: runs } : {}),
});
