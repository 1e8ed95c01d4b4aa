import { expect, it } from 'vitest';
import { both } from './both.ts';
import type { LimiterWorld } from './world.ts';

/** Of what is no argument. */
export function inputConformance(world: LimiterWorld): void {
  it.each([
    [{ cost: 0 }, 'ERR_LIMIT_ARGUMENT'],
    [{ cost: -1 }, 'ERR_LIMIT_ARGUMENT'],
    [{ cost: 1.5 }, 'ERR_LIMIT_ARGUMENT'],
    [{ cost: Number.NaN }, 'ERR_LIMIT_ARGUMENT'],
    [{ cost: '1' as unknown as number }, 'ERR_LIMIT_ARGUMENT'],
    [{ id: '' }, 'ERR_LIMIT_ARGUMENT'],
    [{ plan: 'gold' as never }, 'ERR_LIMIT_ARGUMENT'],
    [{ limits: { burst: 0 } }, 'ERR_LIMIT_ARGUMENT'],
    [{ limits: { burst: 0.5 } }, 'ERR_LIMIT_ARGUMENT'],
    [{ limits: { other: 5 } }, 'ERR_LIMIT_ARGUMENT'],
  ])('refuses %o in consume, peek, refund and wait', async (options, code) => {
    const limiter = await world.make(both());
    await expect(limiter.consume('ann', options)).rejects.toMatchObject({ code });
    await expect(limiter.peek('ann', options)).rejects.toMatchObject({ code });
    await expect(limiter.refund('ann', options)).rejects.toMatchObject({ code });
    await expect(limiter.wait('ann', options)).rejects.toMatchObject({ code });
    expect(await limiter.peek('ann')).toMatchObject({ remaining: 3 });
  });

  it('refuses a subject that is none, a bad duration, and calls after close', async () => {
    const limiter = await world.make(both());
    for (const subject of ['', undefined as unknown as string, 5 as unknown as string]) {
      await expect(limiter.consume(subject)).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
    }
    await expect(limiter.consume('\ud800')).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    await expect(limiter.block('ann', '-5m')).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
    await expect(limiter.wait('ann', { timeout: '5' })).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
    await limiter.close();
    await expect(limiter.consume('ann')).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
    await expect(limiter.wait('ann')).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
  });
}
