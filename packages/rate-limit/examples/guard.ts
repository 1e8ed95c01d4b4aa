import { createGuard } from '@tierkit/rate-limit';

const guard = createGuard('login', {
  redis: 'memory',
  account: { failures: 3, within: '1h', blocks: ['1m', '1h'] },
});
const who = { account: 'ann@example.org', address: '2001:db8:1:2::17' };

for (let attempt = 1; attempt <= 3; attempt++) {
  const { failuresLeft, blocked, retryAfterMs } = await guard.failed(who);
  console.log(
    `failure ${attempt}: ${failuresLeft} left`,
    blocked === undefined ? '' : `${blocked} blocked for ${retryAfterMs} ms`,
  );
}
console.log('another account from there:', (await guard.check({ ...who, account: 'bob' })).allowed);
await guard.reset(who);
console.log('after a reset:', (await guard.check(who)).allowed);
await guard.close();
