import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { expect, it } from 'vitest';
import { readSettings } from '../src/environment-settings.ts';
import { variables } from '../src/environment-variables.ts';

const text = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
const everyLine = text.replaceAll(/^#(?=[A-Z_]+=)/gm, '');

it('is valid as it stands and with every line enabled', () => {
  const active = readSettings(parseEnv(text));
  expect(active).toMatchObject({ backend: 'redis', servers: { cache: 'redis://localhost:6379/0' } });
  expect(readSettings(parseEnv(everyLine)).backend).toBe('redis');
});

it('shows every variable, and none that is unknown', () => {
  const shown = Object.keys(parseEnv(everyLine));
  const tiers = shown.filter((name) => /^CACHE_TTL_[A-Z]+$|^CACHE_(?!DEFAULT)[A-Z]+_TTL$/.test(name));
  expect(tiers).toContain('CACHE_HERO_TTL');
  expect(shown.filter((name) => !tiers.includes(name)).sort()).toEqual(Object.keys(variables).sort());
});
