import type { LocksOptions } from '../../src/index.ts';
import { Contender, type StoreAddress } from './contender.ts';
import type { Answer, Order } from './contender-process.ts';

const faults: string[] = [];
process.on('unhandledRejection', (reason) => faults.push(String(reason)));
process.on('uncaughtException', (error) => faults.push(String(error)));

let contender: Contender | undefined;

async function obey({ call, args }: Order): Promise<unknown> {
  if (call === 'faults') return faults;
  if (call === 'start') {
    contender = new Contender(...(args as [string, LocksOptions, StoreAddress]));
    return contender.ready();
  }
  const method = contender?.[call] as ((...given: readonly unknown[]) => Promise<unknown>) | undefined;
  return method?.apply(contender, args as unknown[]);
}

process.on('message', (order: Order) => {
  void obey(order).then(
    (result) => process.send?.({ id: order.id, result } satisfies Answer),
    (error: unknown) => process.send?.({ id: order.id, fault: String(error) } satisfies Answer),
  );
});
process.on('disconnect', () => process.exit());
