/** About 800 bytes of JSON with 40 values: what a service caches for one user. */
export function profile(i: number): Record<string, unknown> {
  return {
    id: `user-${10_000 + i}`,
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    age: 36,
    active: true,
    score: 12.5,
    tags: ['maths', 'engines', 'poetry', 'notes'],
    address: { street: '12 Long Lane', city: 'London', zip: 'N1 9GU', geo: { lat: 51.53, lon: -0.12 } },
    roles: [
      { name: 'admin', since: 1_577_836_800_000 },
      { name: 'editor', since: 1_609_459_200_000 },
    ],
    settings: { theme: 'dark', language: 'en', beta: null, limits: { daily: 100, monthly: 2000, burst: 7 } },
    bio: 'A note about a person, some hundred characters of it, as profiles have them. '.repeat(5),
    createdAt: '2024-01-01T00:00:00Z',
    visits: i * 1000,
  };
}

/** The same with three values that msgpack lacks. */
export function datedProfile(i: number): Record<string, unknown> {
  return { ...profile(i), createdAt: new Date(1_700_000_000_000 + i), lastSeenAt: new Date(i), nickname: undefined };
}

/** About 10 kB of rows. */
export function rows(i: number): Record<string, unknown>[] {
  return Array.from({ length: 80 }, (_, row) => ({
    id: row * 1000 + i,
    path: `src/module-${row}/file-${i}.ts`,
    size: row * 37,
    kind: row % 3 === 0 ? 'file' : 'folder',
    score: row / 7,
    hidden: row % 5 === 0,
  }));
}
