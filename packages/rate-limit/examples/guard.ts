import { createGuard } from '@tierkit/rate-limit';

const guard = createGuard('login', {
  redis: 'memory',
  account: { failures: 3, within: '1h', blocks: ['1m', '1h'] },
});
const who = { account: 'ann@example.org', address: '2001:db8:1:2::17' };

for (const password of ['a', 'b', 'c', 'd']) {
  const attempt = await guard.attempt(who);
  if (!attempt.allowed) console.log(`${attempt.blocked} blocked, for a minute:`, attempt.retryAfterMs <= 60_000);
  else if (password === 'right') await attempt.succeeded();
  else console.log(`wrong password, ${attempt.failuresLeft} attempts left`);
}
console.log('another account from there:', (await guard.check({ ...who, account: 'bob' })).allowed);
await guard.reset(who);
console.log('after a reset:', (await guard.check(who)).allowed);
await guard.close();
